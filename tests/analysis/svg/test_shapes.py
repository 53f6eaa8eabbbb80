import re

import numpy as np
import pytest

from analysis.svg.marks import Line
from analysis.svg.shapes import FORMS, area, dashes, joined, line_elements, short


def test_numbers_are_short():
    assert list(map(short, (1.0, 0.125, -0.001, 12.3))) == ["1", "0.12", "0", "12.3"]


def test_a_path_is_broken_where_a_point_has_no_place():
    assert joined(np.array([0.0, 1.0, np.nan, 3.0, 4.0]), np.arange(5.0)) == "M0 0L1 1M3 3L4 4"


def test_an_area_goes_there_and_back_for_every_run_of_points_that_both_curves_have():
    x, low, high = np.arange(5.0), np.zeros(5), np.array([1.0, 1.0, np.nan, 2.0, 2.0])
    assert area(x, low, high) == "M0 0L1 0L1 1L0 1zM3 0L4 0L4 2L3 2z"
    assert area(x, low, np.full(5, np.nan)) == ""


def test_steps_hold_a_value_until_the_next_point():
    mark = Line(x=np.zeros(0), y=np.zeros(0), colour="#000", dash="-", steps=True)
    assert 'd="M0 5L2 5L2 7L3 7L3 7"' in line_elements(mark, np.array([0.0, 2.0, 3.0]), np.array([5.0, 7.0, 7.0]))


def test_dashes_are_in_widths_of_the_line():
    assert dashes("-", 2.0) == "" and dashes("--", 2.0) == ' stroke-dasharray="7.4 3.2"'


@pytest.mark.parametrize("marker", [".", *FORMS])
def test_every_marker_is_drawn_once_a_point_that_has_a_place(marker):
    mark = Line(x=np.zeros(0), y=np.zeros(0), colour="#123456", marker=marker, face="white")
    drawn = line_elements(mark, np.array([1.0, np.nan, 3.0]), np.array([1.0, 2.0, 3.0]))
    assert re.findall(r"M(\d) (\d)", drawn) == [("1", "1"), ("3", "3")] and 'stroke="#123456"' in drawn


@pytest.mark.parametrize("marker", ["s", "D", ">", "*"])
def test_outlines_are_centred_and_closed(marker):
    x = y = 0.0
    corners = []
    for command, first, second in re.findall(r"([mlhv])(-?[\d.]+)(?: (-?[\d.]+))?", FORMS[marker](3.0)):
        x += float(first) if command != "v" else 0.0
        y += float(first) if command == "v" else float(second or 0.0)
        corners.append((x, y))
    corners = np.array(corners)
    assert FORMS[marker](3.0).endswith("z") and np.abs(corners).max() <= 3.0 * 2**0.5 + 0.05
    assert np.abs(corners[:, 1].max() + corners[:, 1].min()) < (0.7 if marker == "*" else 0.05)
