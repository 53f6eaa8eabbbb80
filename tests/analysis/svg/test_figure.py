import numpy as np

from analysis.svg.figure import Figure
from analysis.svg.marks import Line, Span


def test_panels_share_the_axes_that_they_are_told_to_share():
    figure = Figure(2, 2, (4.0, 4.0), share_y=True)
    first, second, third, _ = figure.panels
    assert first.y is second.y is third.y and first.x is not second.x
    assert list(figure.with_axis(first.y)) == figure.panels and list(figure.with_axis(first.x)) == [first]


def test_numbers_stand_at_the_left_and_at_the_lowest_panel_that_is_seen():
    figure = Figure(2, 2, (4.0, 4.0), share_x=True, share_y=True)
    figure.grid[1][1].visible = False
    assert [figure.numbered_below(panel) for panel in figure.panels] == [False, True, True]
    assert [figure.numbered_left(panel) for panel in figure.panels] == [True, False, True]


def test_a_look_is_a_marker_a_line_or_both():
    (panel,) = Figure(1, 1, (1.0, 1.0)).panels
    for look in (".", "|-", "o--", ":", "-"):
        panel.plot([1], [2], look, colour="#000")
    assert [(mark.marker, mark.dash) for mark in panel.marks] == [
        (".", ""),
        ("|", "-"),
        ("o", "--"),
        ("", ":"),
        ("", "-"),
    ]
    assert panel.marks[0].x.dtype == np.float64


def test_the_legend_says_each_thing_once_with_its_first_mark():
    (panel,) = Figure(1, 1, (1.0, 1.0)).panels
    panel.plot([1], [2], "o", colour="#111", label="a")
    panel.plot([1], [2], "s", colour="#222", label="a")
    panel.plot([1], [2], "s", colour="#222")
    panel.span(0.0, 1.0, "#333", 0.5, label="b")
    found = panel.labelled()
    assert list(found) == ["a", "b"] and found["a"].marker == "o"
    assert [type(mark) for mark in found.values()] == [Line, Span]
