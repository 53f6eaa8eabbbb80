"""Figures of Matplotlib hold what the SVG holds, with axes that end at the same values."""

import numpy as np

from analysis.figures import curves, finite_designs, knob_maps, searches
from analysis.figures.matplotlib_figures import as_png, matplotlib_figure
from analysis.svg.marks import Fill, Line
from analysis.svg.scales import scale_of


def test_axes_end_where_those_of_the_svg_end(parts):
    study, found, rows, epochs = parts
    for one in finite_designs.study_figures(study, rows, found, epochs) + searches.figures_of_searches(study):
        made = matplotlib_figure(one.figure)
        shown = [axes for axes in made.axes if axes.get_visible()]
        for panel, axes in zip(one.figure.panels, shown, strict=True):
            for axis, ends in ((panel.x, axes.get_xlim()), (panel.y, axes.get_ylim())):
                scale = scale_of(one.figure, axis)
                assert np.allclose((scale.first, scale.last), ends, rtol=0.01), (one.key, panel.title)


def test_every_line_and_band_is_drawn(parts):
    study, _, rows, _ = parts
    drawn = curves.level_figure(study, rows, "fairness_weight").figure
    (axes,) = matplotlib_figure(drawn).axes
    (panel,) = drawn.panels
    lines = [mark for mark in panel.marks if isinstance(mark, Line)]
    assert [line.get_xdata().tolist() for line in axes.lines] == [mark.x.tolist() for mark in lines]
    assert len(axes.collections) == sum(isinstance(mark, Fill) for mark in panel.marks)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(panel.labelled())


def test_a_map_is_as_it_is_told_to_stand():
    random = np.random.default_rng(0)
    import pandas as pd

    table = pd.DataFrame({"x": random.uniform(0, 1, 60), "y": random.uniform(0, 1, 60)})
    table["collapsed"] = np.where(table["x"] < 0.3, 0.5, 0.0)
    drawn = knob_maps.collapse_map(table, ("x", "y"), "m on d", "key").figure
    axes = matplotlib_figure(drawn).axes[0]
    assert not axes.yaxis_inverted() and [text.get_text() for text in axes.texts] == [
        note.text for note in drawn.panels[0].notes()
    ]


def test_a_picture_of_dots_is_the_same_bytes_again_and_a_dollar_is_a_dollar(parts):
    study, found, _, _ = parts
    figure = finite_designs.effects_figure(study, found).figure
    figure.panels[0].title = "costs $5 to $6"
    assert as_png(figure) == as_png(figure)
    assert as_png(figure).startswith(b"\x89PNG")
