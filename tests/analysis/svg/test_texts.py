"""Widths of texts against Helvetica's own AFM file, which Matplotlib ships."""

import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest

from analysis.svg.texts import element, height_of, width_of

OTHERS = {39: "quotesingle", 96: "grave"}
"""Codes that mean other letters in the file's own encoding."""


def test_every_letter_of_ascii_is_as_wide_as_in_helvetica():
    file = Path(matplotlib.get_data_path(), "fonts/pdfcorefonts/Helvetica.afm").read_text(encoding="latin-1")
    told = re.findall(r"^C (-?\d+) ; WX (\d+) ; N (\w+)", file, re.MULTILINE)
    by_code, by_name = {int(code): int(wide) for code, wide, _ in told}, {name: int(wide) for _, wide, name in told}
    for code in range(32, 127):
        expected = by_name[OTHERS[code]] if code in OTHERS else by_code[code]
        assert width_of(chr(code), 1000.0) == expected, chr(code)


def test_the_widest_line_is_the_width_and_lines_add_up_to_the_height():
    assert width_of("aa\naaaa\na", 10.0) == width_of("aaaa", 10.0) == pytest.approx(4 * 5.56)
    assert (height_of("", 10.0), height_of("a", 10.0), height_of("a\nb", 10.0)) == (0.0, 12.0, 24.0)


def test_powers_of_ten_are_raised_and_narrower_than_their_letters():
    assert width_of("10^−5", 10.0) < width_of("10−5", 10.0)
    words = ElementTree.fromstring(element("10^−5", 0.0, 0.0, 9.0))
    (raised,) = words
    assert (words.text, raised.text) == ("10", "−5") and float(raised.get("dy")) < 0


def test_what_means_something_in_xml_is_text():
    words = ElementTree.fromstring(element("a<b> & $c$ ^2", 1.0, 2.0, 9.0))
    assert words.text == "a<b> & $c$ ^2"
    lines = ElementTree.fromstring(element("<a>\n&", 1.0, 2.0, 9.0))
    assert [line.text for line in lines] == ["<a>", "&"]
