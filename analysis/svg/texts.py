"""Words in an SVG: how wide they will be in the fonts of one metric (Helvetica, Arial, Liberation Sans), and markup."""

from __future__ import annotations

import functools
import re
from html import escape

__all__ = ["LINE", "element", "height_of", "width_of"]

LINE = 1.2
"""Distance of two lines of a text, in sizes."""
WIDTHS = (
    (191, "'"),
    (222, "ijl’‘"),
    (278, " !,./:;I[\\]ft·"),
    (333, "()-`r"),
    (334, "{}"),
    (260, "|"),
    (355, '"'),
    (389, "*"),
    (469, "^"),
    (500, "Jcksvxyz"),
    (556, "#$0123456789?L_abdeghnopqu–"),
    (584, "+<=>~−±×"),
    (611, "FTZ"),
    (667, "&ABEKPSVXY"),
    (722, "CDHNRUw"),
    (778, "GOQ"),
    (833, "Mm"),
    (889, "%"),
    (944, "W"),
    (1000, "…—"),
    (1015, "@"),
)
"""Thousandths of the size, of the letters that have this width (Helvetica's AFM file)."""
OTHER = 600
"""Of every other letter: about an accented small one."""
POWER = re.compile(r"\^(−?\d+)\Z")
RAISED = 0.7
"""Size of an exponent, in sizes of the number."""


@functools.cache
def _letters() -> dict[str, int]:
    return {letter: width for width, letters in WIDTHS for letter in letters}


@functools.lru_cache(2**14)
def width_of(text: str, size: float) -> float:
    """Return the width in points of the widest line of a text; "10^3" is read as a power."""
    known, widest = _letters(), 0.0
    for line in text.split("\n"):
        raised = POWER.search(line)
        if raised:
            widest = max(widest, width_of(line[: raised.start()], size) + width_of(raised[1], RAISED * size))
            continue
        widest = max(widest, sum(known.get(letter, OTHER) for letter in line) * size / 1000)
    return widest


def height_of(text: str, size: float) -> float:
    """Return the height in points of a text's lines; 0 of no text."""
    return (1 + text.count("\n")) * LINE * size if text else 0.0


def element(text: str, x: float, y: float, size: float, **attributes: str) -> str:
    """Return a text element.

    Args:
        text: of one line or several.
        x: where it stands, by its `text-anchor`.
        y: the middle of its lines.
        size: in points.
        attributes: of the element, low lines for hyphens.
    """
    lines = text.split("\n")
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    first = y - 0.5 * (len(lines) - 1) * LINE * size + 0.35 * size
    if len(lines) == 1:
        return f'<text x="{x:.2f}" y="{first:.2f}" font-size="{size:g}"{more}>{_line(text, size)}</text>'
    inside = ""
    for place, line in enumerate(lines):
        inside += f'<tspan x="{x:.2f}" y="{first + place * LINE * size:.2f}">{_line(line, size)}</tspan>'
    return f'<text font-size="{size:g}"{more}>{inside}</text>'


def _line(text: str, size: float) -> str:
    raised = POWER.search(text)
    if raised and text.startswith(("10", "−10")):
        exponent = f'<tspan dy="{-0.4 * size:.2f}" font-size="{RAISED * size:.2f}">{raised[1]}</tspan>'
        return escape(text[: raised.start()], quote=False) + exponent
    return escape(text, quote=False)
