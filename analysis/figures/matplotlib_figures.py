"""A figure as one of Matplotlib, for pictures of dots and whoever goes on with it in Python; nothing else loads it."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from analysis.svg.figure import Axis, Figure, Panel
from analysis.svg.marks import Fill, Heat, Line, Note, Rule, Segments, Span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

__all__ = ["as_png", "matplotlib_figure"]

STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
OWN_FORMULA = r"$\mathdefault"
"""How Matplotlib writes the numbers beside a logarithmic axis."""
COLOURS = "cividis"
LEGENDS: dict[str, Literal["best", "upper right"]] = {"free": "best", "right": "upper right"}


def as_png(figure: Figure, dpi: int = 110) -> bytes:
    """Return a figure as PNG bytes; the same figure is the same bytes."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        matplotlib_figure(figure).savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def matplotlib_figure(figure: Figure) -> MatplotlibFigure:
    """Return the same figure as Matplotlib's; outside pyplot, so that nothing global is kept."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as MatplotlibFigure

    with mpl.rc_context(STYLE):
        made = MatplotlibFigure(figsize=figure.size, layout="constrained")
        shape = (len(figure.grid), len(figure.grid[0]))
        grid = made.subplots(*shape, sharex=figure.share_x, sharey=figure.share_y, squeeze=False)
        for panel, axes in zip(chain.from_iterable(figure.grid), grid.flat, strict=True):
            axes.set_visible(panel.visible)
            if panel.visible:
                _draw(panel, axes)
                if figure.numbered_below(panel):
                    axes.tick_params(labelbottom=True)
        if figure.legend:
            handles = _handles(made, figure.legend)
            made.legend(handles, list(figure.legend), loc="outside upper center", ncols=len(handles), frameon=False)
        _show_dollars(made)
    return made


def _draw(panel: Panel, axes: Axes) -> None:
    """Draw a panel's marks, and have its axes as they are to be."""
    drawn: dict[str, Any] = {}
    for mark in panel.marks:
        made = DRAWN[type(mark)](axes, mark)
        if isinstance(mark, Line | Span) and mark.label:
            drawn.setdefault(mark.label, made)
    _set(panel.x, axes, "x")
    _set(panel.y, axes, "y")
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    axes.set_title(panel.title, fontsize=panel.title_size)
    axes.set_axisbelow(True)
    if panel.y.ends is None and axes.yaxis_inverted() != panel.y.inverted:
        axes.invert_yaxis()
    if panel.equal:
        axes.set_aspect("equal")
    if panel.legend:
        axes.legend(
            list(drawn.values()), list(drawn), loc=LEGENDS[panel.legend], fontsize=panel.legend_size, frameon=False
        )


def _set(axis: Axis, axes: Axes, name: str) -> None:
    """Set the scale, ends, ticks and grid of an axis: `name` is x or y."""
    more = {"linthresh": axis.threshold} if axis.scale == "symlog" else {}
    getattr(axes, f"set_{name}scale")(axis.scale, **more)
    if not axis.small_ticks:
        getattr(axes, f"{name}axis").minorticks_off()
    if axis.ticks is not None:
        getattr(axes, f"set_{name}ticks")([place for place, _ in axis.ticks], [text for _, text in axis.ticks])
    if axis.ends is not None:
        getattr(axes, f"set_{name}lim")(*axis.ends)
    if axis.grid:
        axes.grid(visible=True, axis=name, color="#e6e6e6", linewidth=0.7)  # type: ignore[arg-type]
    if not axis.shown:
        axes.spines["bottom" if name == "x" else "left"].set_visible(False)
        getattr(axes, f"{name}axis").set_visible(False)


def _handles(made: MatplotlibFigure, labelled: dict[str, Line | Span]) -> list[Any]:
    """Return what stands beside the words of a legend: marks like those that it is about, in no axes."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    found: list[Any] = []
    for mark in labelled.values():
        if isinstance(mark, Span):
            found.append(Patch(color=mark.colour, alpha=mark.alpha, linewidth=0))
        else:
            found.append(Line2D([], [], **_look(mark)))
    return found


def _look(mark: Line) -> dict[str, Any]:
    return {
        "color": mark.colour,
        "linewidth": mark.width,
        "linestyle": mark.dash,
        "marker": mark.marker,
        "markersize": mark.size,
        "markerfacecolor": mark.face or mark.colour,
    }


def _line(axes: Axes, mark: Line) -> Any:
    more = {"alpha": mark.alpha, "zorder": mark.order, "clip_on": mark.clipped, "label": mark.label or None}
    if mark.steps:
        more["drawstyle"] = "steps-post"
    if mark.butt:
        more["solid_capstyle"] = "butt"
    return axes.plot(mark.x, mark.y, **_look(mark), **more)[0]  # type: ignore[arg-type]


def _segments(axes: Axes, mark: Segments) -> Any:
    from matplotlib.collections import LineCollection

    drawn = LineCollection(list(mark.ends), colors=mark.colour, linewidths=mark.width, alpha=mark.alpha)
    return axes.add_collection(drawn, autolim=False)


def _fill(axes: Axes, mark: Fill) -> Any:
    return axes.fill_between(mark.x, mark.low, mark.high, color=mark.colour, alpha=mark.alpha, linewidth=0)


def _span(axes: Axes, mark: Span) -> Any:
    return axes.axvspan(mark.low, mark.high, color=mark.colour, alpha=mark.alpha, linewidth=0, label=mark.label or None)


def _rule(axes: Axes, mark: Rule) -> Any:
    return axes.axvline(mark.x, color=mark.colour, linewidth=mark.width, linestyle=mark.dash)


def _note(axes: Axes, note: Note) -> Any:
    place = {"start": "left", "middle": "center", "end": "right"}[note.anchor]
    return axes.annotate(
        note.text,
        (note.x, note.y),
        note.shift,
        xycoords=("axes fraction" if note.across else "data", "data"),
        textcoords="offset points",
        ha=place,
        va="center" if note.baseline == "middle" else "bottom",
        fontsize=note.size,
        color=note.colour,
        annotation_clip=False,
    )


def _heat(axes: Axes, mark: Heat) -> Any:
    image = axes.imshow(mark.values, cmap=COLOURS, aspect="auto")
    axes.figure.colorbar(image, ax=axes, label=mark.label, shrink=0.9)
    return image


DRAWN: dict[type, Callable[[Axes, Any], Any]] = {
    Line: _line,
    Segments: _segments,
    Fill: _fill,
    Span: _span,
    Rule: _rule,
    Note: _note,
    Heat: _heat,
}


def _show_dollars(figure: MatplotlibFigure) -> None:
    """Have every `$` in a text shown as one: names of arms may hold two, and what is between them is no formula."""
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_formatter(), FixedFormatter):
                for tick in axis.get_major_ticks():
                    tick.label1.set_parse_math(False)
                    tick.label2.set_parse_math(False)
    for text in figure.findobj(Text):
        if "$" in text.get_text() and not text.get_text().startswith(OWN_FORMULA):
            text.set_parse_math(False)
