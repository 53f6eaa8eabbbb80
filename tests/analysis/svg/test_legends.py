import re
from xml.etree import ElementTree

import numpy as np

from analysis.svg.legends import above, height_above, within
from analysis.svg.marks import Line, Span


def line(**more):
    return Line(x=np.zeros(1), y=np.zeros(1), colour="#0072B2", **more)


def words_of(elements):
    return [node.text for node in ElementTree.fromstring(f"<g>{elements}</g>").iter("text")]


def test_a_legend_above_says_everything_in_rows_that_fit():
    labelled = {f"a text of some length, {place}": line(marker="o") for place in range(5)}
    assert words_of(above(labelled, 300.0, 0.0)) == list(labelled)
    heights = {float(y) for y in re.findall(r'<text x="[\d.]+" y="([\d.]+)"', above(labelled, 300.0, 0.0))}
    assert len(heights) == 3 and height_above(labelled, 300.0) > height_above(labelled, 2000.0) > 0
    places = [float(x) for x in re.findall(r'<text x="([\d.-]+)"', above(labelled, 300.0, 0.0))]
    assert min(places) > 0 and max(places) < 300.0
    assert height_above({}, 300.0) == 0.0 and above({}, 300.0, 0.0) == ""


def test_a_legend_within_a_panel_stands_where_it_hides_least():
    box = (0.0, 0.0, 200.0, 100.0)
    taken = np.array([[190.0, 10.0], [190.0, 90.0], [180.0, 50.0]])
    free = within({"a": line(dash="-")}, 8.0, box, taken)
    crowded = within({"a": line(dash="-")}, 8.0, box, None)
    assert float(re.search(r'x="([\d.]+)"', free)[1]) < 100.0 < float(re.search(r'x="([\d.]+)"', crowded)[1])
    assert within({}, 8.0, box, taken) == ""


def test_a_band_has_a_sample_of_its_colour():
    assert 'fill="#009E73" fill-opacity="0.5"' in above(
        {"band": Span(low=0, high=1, colour="#009E73", alpha=0.5)}, 200.0, 0.0
    )
