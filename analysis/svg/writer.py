"""Writes a figure as SVG: the same figure is the same text; its words stay words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from analysis.svg.colours import CIVIDIS, colour_at
from analysis.svg.figure import Figure
from analysis.svg.layout import BAR, BAR_HEIGHT, INCH, PAD, SIZE, TICK, Placed, placed, samples_of, ticks_of_bar
from analysis.svg.legends import above, within
from analysis.svg.marks import Fill, Heat, Line, Note, Rule, Segments, Span
from analysis.svg.shapes import area, dashes, joined, line_elements, short
from analysis.svg.texts import LINE, element, height_of, width_of

__all__ = ["svg_of"]

FONTS = "'Liberation Sans',Arial,Helvetica,sans-serif"
GRID = "#e6e6e6"
GRADIENT = "colours"


def svg_of(figure: Figure, name: str = "") -> str:
    """Return the SVG of a figure, in points.

    Args:
        figure: the figure.
        name: before what its parts are called: a page that holds several figures as elements gives each its own.
    """
    wide, high = figure.size[0] * INCH, figure.size[1] * INCH
    panels = placed(figure)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{short(wide)}pt" height="{short(high)}pt" '
        f'viewBox="0 0 {short(wide)} {short(high)}" font-family="{FONTS}">',
        f'<rect width="{short(wide)}" height="{short(high)}" fill="#fff"/>',
        _definitions(panels, name),
        *(_panel(one, name) for one in panels),
        above(figure.legend, wide, PAD),
        "</svg>\n",
    ]
    return "\n".join(filter(None, parts))


def _definitions(panels: list[Placed], name: str) -> str:
    """Return what panels are clipped to, and the colours of bars."""
    found = ""
    for one in panels:
        found += f'<clipPath id="{_key(one, name)}">{_rect(one.left, one.top, one.width, one.height)}</clipPath>'
    if any(one.heat() is not None for one in panels):
        stops = ""
        for place, colour in enumerate(CIVIDIS):
            stops += f'<stop offset="{place / (len(CIVIDIS) - 1):g}" stop-color="{colour}"/>'
        found += f'<linearGradient id="{name}{GRADIENT}" x1="0" y1="1" x2="0" y2="0">{stops}</linearGradient>'
    return f"<defs>{found}</defs>"


def _key(one: Placed, name: str) -> str:
    return f"{name}axes-{one.panel.row}-{one.panel.column}"


def _rect(x: float, y: float, width: float, height: float, more: str = "") -> str:
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"{more}/>'


def _panel(one: Placed, name: str) -> str:
    """Return the elements of a panel: grid, marks, axes, words, legend."""
    panel, clipped, free, words = one.panel, "", "", ""
    for mark in sorted(panel.marks, key=lambda mark: mark.order):
        made = DRAWN[type(mark)](one, mark)
        if isinstance(mark, Note):
            words += made
        elif isinstance(mark, Line) and not mark.clipped:
            free += made
        else:
            clipped += made
    legend = ""
    if panel.legend:
        taken = samples_of(one) if panel.legend == "free" else None
        legend = within(panel.labelled(), panel.legend_size, (one.left, one.top, one.width, one.height), taken)
    inside = f'<g clip-path="url(#{_key(one, name)})">{_grid(one)}{clipped}</g>'
    return f"<g>{inside}{_axes(one)}{_bar(one, name)}{free}{words}{_labels(one)}{legend}</g>"


def _grid(one: Placed) -> str:
    path = ""
    if one.panel.x.grid:
        for place, _ in one.x_ticks()[0]:
            path += f"M{_x(one, place)} {short(one.top)}v{short(one.height)}"
    if one.panel.y.grid:
        for place, _ in one.y_ticks()[0]:
            path += f"M{short(one.left)} {_y(one, place)}h{short(one.width)}"
    return f'<path d="{path}" stroke="{GRID}" stroke-width=".7"/>' if path else ""


def _x(one: Placed, place: float) -> str:
    return short(one.left + one.width * float(one.x.share(place)))


def _y(one: Placed, place: float) -> str:
    return short(one.top + one.height * (1 - float(one.y.share(place))))


def _axes(one: Placed) -> str:
    """Return the lines of both axes with their ticks and numbers."""
    path, words, bottom = "", "", one.top + one.height
    if one.panel.x.shown:
        path += f"M{short(one.left)} {short(bottom)}h{short(one.width)}"
        ticks, small = one.x_ticks()
        for place, text in ticks:
            path += f"M{_x(one, place)} {short(bottom)}v{TICK}"
            if one.below and text:
                middle = bottom + TICK + PAD + 0.5 * height_of(text, SIZE)
                words += element(text, float(_x(one, place)), middle, SIZE, text_anchor="middle")
        for place in small:
            path += f"M{_x(one, place)} {short(bottom)}v2"
    if one.panel.y.shown:
        path += f"M{short(one.left)} {short(bottom)}v-{short(one.height)}"
        ticks, small = one.y_ticks()
        for place, text in ticks:
            path += f"M{short(one.left)} {_y(one, place)}h-{TICK}"
            if one.beside and text:
                words += element(text, one.left - TICK - PAD, float(_y(one, place)), SIZE, text_anchor="end")
        for place in small:
            path += f"M{short(one.left)} {_y(one, place)}h-2"
    return f'<path d="{path}" fill="none" stroke="#000" stroke-width=".8" stroke-linecap="square"/>{words}'


def _labels(one: Placed) -> str:
    """Return the title and the labels of both axes."""
    panel, found = one.panel, ""
    centre, bottom = one.left + 0.5 * one.width, one.top + one.height
    if panel.title:
        middle = one.top - 5.0 - 0.5 * height_of(panel.title, panel.title_size)
        found += element(panel.title, centre, middle, panel.title_size, text_anchor="middle")
    if panel.x_label:
        middle = bottom + one.room_below() + PAD + 0.5 * LINE * SIZE
        found += element(panel.x_label, centre, middle, SIZE, text_anchor="middle")
    if panel.y_label:
        found += _upright(panel.y_label, one.left - one.room_beside() - PAD - 0.5 * LINE * SIZE, one)
    return found


def _upright(text: str, x: float, one: Placed) -> str:
    """Return words that are read from below, beside a panel."""
    y = one.top + 0.5 * one.height
    turned = element(text, 0.0, 0.0, SIZE, text_anchor="middle")
    return f'<g transform="translate({short(x)} {short(y)}) rotate(-90)">{turned}</g>'


def _line(one: Placed, mark: Line) -> str:
    return line_elements(mark, *one.at(mark.x, mark.y))


def _segments(one: Placed, mark: Segments) -> str:
    x, y = one.at(mark.ends[:, :, 0], mark.ends[:, :, 1])
    path = "".join(map(joined, x, y))
    return (
        f'<path d="{path}" stroke="{mark.colour}" stroke-width="{mark.width:g}" opacity="{mark.alpha:g}" '
        'stroke-linecap="round"/>'
    )


def _fill(one: Placed, mark: Fill) -> str:
    x, low = one.at(mark.x, mark.low)
    high = one.at(mark.x, mark.high)[1]
    return f'<path d="{area(x, low, high)}" fill="{mark.colour}" fill-opacity="{mark.alpha:g}"/>'


def _span(one: Placed, mark: Span) -> str:
    low, high = sorted(one.left + one.width * one.x.share([mark.low, mark.high]))
    return _rect(low, one.top, high - low, one.height, f' fill="{mark.colour}" fill-opacity="{mark.alpha:g}"')


def _rule(one: Placed, mark: Rule) -> str:
    path = f"M{_x(one, mark.x)} {short(one.top)}v{short(one.height)}"
    return f'<path d="{path}" stroke="{mark.colour}" stroke-width="{mark.width:g}"{dashes(mark.dash, mark.width)}/>'


def _note(one: Placed, note: Note) -> str:
    start, width, middle = one.note_at(note)
    place = {"start": start, "middle": start + 0.5 * width, "end": start + width}[note.anchor]
    return element(note.text, place, middle, note.size, fill=note.colour, text_anchor=note.anchor)


def _heat(one: Placed, mark: Heat) -> str:
    """Return the cells of a map."""
    low, high = mark.ends
    found = ""
    for (row, column), value in np.ndenumerate(mark.values):
        if np.isfinite(value):
            x, y = one.at([column - 0.5, column + 0.5], [row - 0.5, row + 0.5])
            share = (value - low) / (high - low) if high > low else 0.0
            found += _rect(min(x), min(y), abs(x[1] - x[0]), abs(y[1] - y[0]), f' fill="{colour_at(share)}"')
    return f'<g shape-rendering="crispEdges">{found}</g>'


def _bar(one: Placed, name: str) -> str:
    """Return the bar of colours beside a map, with its numbers and its label."""
    heat = one.heat()
    if heat is None:
        return ""
    left, height = one.left + one.width + BAR, BAR_HEIGHT * one.height
    top = one.top + 0.5 * (one.height - height)
    found = _rect(left, top, BAR, height, f' fill="url(#{name}{GRADIENT})" stroke="#000" stroke-width=".5"')
    low, high = heat.ends
    widest = 0.0
    for value, text in ticks_of_bar(heat, one.height):
        y = top + height * (1 - (value - low) / (high - low) if high > low else 1.0)
        found += f'<path d="M{short(left + BAR)} {short(y)}h{TICK}" stroke="#000" stroke-width=".8"/>'
        found += element(text, left + BAR + TICK + PAD, y, SIZE)
        widest = max(widest, width_of(text, SIZE))
    return found + _upright(heat.label, left + BAR + TICK + 2 * PAD + widest + 0.5 * LINE * SIZE, one)


DRAWN: dict[type, Callable[[Placed, Any], str]] = {
    Line: _line,
    Segments: _segments,
    Fill: _fill,
    Span: _span,
    Rule: _rule,
    Note: _note,
    Heat: _heat,
}
