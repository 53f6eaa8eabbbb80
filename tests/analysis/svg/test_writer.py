"""What is written is XML with everything in it, and the same figure is the same text."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from analysis.svg.figure import Figure
from analysis.svg.writer import svg_of

NAME = "{http://www.w3.org/2000/svg}"


def whole():
    """Return a figure with every kind of mark."""
    figure = Figure(1, 2, (8.0, 3.0))
    panel, cells = figure.panels
    panel.title, panel.x_label, panel.y_label, panel.legend = "a <title>", "across & on", "up", "free"
    panel.plot([1.0, 10.0, 100.0], [0.0, 1.0, np.nan], "o-", colour="#010101", label="line")
    panel.segments([[[1.0, 0.0], [10.0, 1.0]]], "#020202", 1.0)
    panel.fill([1.0, 10.0], [0.0, 0.0], [1.0, 2.0], "#030303", 0.2)
    panel.span(2.0, 3.0, "#040404", 0.3, label="band")
    panel.rule(5.0, "#050505")
    panel.write("two\nlines", 10.0, 0.5)
    panel.x.be_logarithmic()
    panel.x.grid = panel.y.grid = True
    cells.heat(np.array([[0.0, 1.0, np.nan], [2.0, 3.0, 4.0]]), "heat")
    figure.legend = panel.labelled()
    return figure


@pytest.fixture(scope="module")
def read():
    return ElementTree.fromstring(svg_of(whole()))


def test_the_same_figure_is_the_same_text():
    assert svg_of(whole()) == svg_of(whole())


def test_every_mark_is_drawn_and_every_word_is_a_word(read):
    colours = {node.get(kind) for node in read.iter() for kind in ("fill", "stroke")}
    assert {f"#0{place}0{place}0{place}" for place in range(1, 6)} <= colours
    words = ["".join(node.itertext()) for node in read.iter(f"{NAME}text")]
    assert {"a <title>", "across & on", "up", "heat", "line", "band", "1", "10", "100", "twolines"} <= set(words)
    assert words.count("line") == 2, "within the panel and above it"


def test_cells_without_a_value_are_empty(read):
    (cells,) = (node for node in read.iter(f"{NAME}g") if node.get("shape-rendering"))
    assert len(cells) == 5 and len({cell.get("fill") for cell in cells}) == 5


def test_lines_are_clipped_to_their_panel_unless_they_are_not_to_be():
    figure = Figure(1, 1, (3.0, 2.0))
    (panel,) = figure.panels
    panel.plot([0.0], [0.0], "o", colour="#0a0a0a")
    panel.plot([0.0], [0.0], "o", colour="#0b0b0b", clipped=False)
    read = ElementTree.fromstring(svg_of(figure))
    (clipped,) = (node for node in read.iter(f"{NAME}g") if node.get("clip-path"))
    inside = {node.get("stroke") for node in clipped}
    assert "#0a0a0a" in inside and "#0b0b0b" not in inside
    assert clipped.get("clip-path") == "url(#axes-0-0)" and read.find(".//*[@id='axes-0-0']") is not None


def test_figures_of_one_page_refer_to_parts_of_their_own():
    one, two = svg_of(whole(), "one-"), svg_of(whole(), "two-")
    for text, name in ((one, "one-"), (two, "two-")):
        parts = [node.get("id") for node in ElementTree.fromstring(text).iter() if node.get("id")]
        assert len(parts) == 3 and all(part.startswith(name) for part in parts)
        assert set(re.findall(r"url\(#([^)]*)\)", text)) == set(parts)


def test_a_figure_without_a_mark_is_written():
    assert ElementTree.fromstring(svg_of(Figure(2, 2, (3.0, 3.0)))).get("width") == "216pt"
