"""Panels are of one size and lie in the figure with all that stands beside them, for random figures (seeded)."""

import numpy as np
import pytest

from analysis.svg.figure import Figure
from analysis.svg.layout import INCH, placed
from analysis.svg.texts import height_of


def random_figure(seed):
    random = np.random.default_rng(seed)
    rows, columns = random.integers(1, 4, 2)
    shared = {"share_x": bool(random.integers(2)), "share_y": bool(random.integers(2))}
    figure = Figure(int(rows), int(columns), (3.0 * columns, 2.5 * rows), **shared)
    for panel in figure.panels:
        panel.plot(random.normal(size=5) * 1000, random.normal(size=5), "o", colour="#000", label="dots")
        panel.x_label, panel.y_label, panel.title = "across", "up", "a title" if random.integers(2) else ""
        panel.write("beside it", 1.02, 0.0, across=True, baseline="middle")
        if not shared["share_y"]:
            panel.y.name([0.0, 1.0], ["a long name of a row", "two\nlines"])
    figure.legend = figure.panels[0].labelled() if random.integers(2) else {}
    return figure


@pytest.mark.parametrize("seed", range(20))
def test_all_that_stands_beside_panels_lies_in_the_figure_and_in_no_other_panel(seed):
    figure = random_figure(seed)
    panels = placed(figure)
    assert len({(round(one.width, 6), round(one.height, 6)) for one in panels}) == 1
    for one in panels:
        assert one.width > 40 and one.height > 40
        left, right = one.left - one.room_beside(), one.left + one.width
        (note,) = one.panel.notes()
        start, width, _ = one.note_at(note)
        assert left > 0 and start > right and start + width < figure.size[0] * INCH
        assert one.top - height_of(one.panel.title, 10.0) > 0
        assert one.top + one.height + one.room_below() < figure.size[1] * INCH
        for other in panels:
            if other.panel.row == one.panel.row and other.panel.column > one.panel.column:
                assert start + width < other.left - other.room_beside()
            if other.panel.column == one.panel.column and other.panel.row > one.panel.row:
                assert one.top + one.height + one.room_below() < other.top


def test_a_panel_of_equal_units_has_them_and_stays_in_its_place():
    figure = Figure(1, 1, (5.0, 3.0))
    (panel,) = figure.panels
    panel.plot([0.0, 1.0], [0.0, 4.0], colour="#000")
    (before,) = placed(figure)
    panel.equal = True
    (one,) = placed(figure)
    (x, y) = one.at([0.0, 1.0], [0.0, 1.0])
    assert x[1] - x[0] == pytest.approx(y[0] - y[1])
    assert one.left >= before.left and one.left + one.width <= before.left + before.width + 1e-9


def test_words_in_the_units_of_an_axis_keep_their_room_too():
    figure = Figure(1, 1, (4.0, 2.0))
    (panel,) = figure.panels
    panel.x.ends = (0.0, 1.0)
    panel.write("a long text at the right end", 1.0, 0.5)
    panel.write("a long text at the left end", 0.0, 0.5, anchor="end")
    (one,) = placed(figure)
    (first, wide, _), (second, _, _) = map(one.note_at, panel.notes())
    assert first + wide <= 4.0 * INCH and second >= 0
