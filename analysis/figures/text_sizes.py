"""Sizes of texts, known from one figure to the next: Matplotlib forgets them with each figure's renderer.

Half of what laying a figure out takes is the size of numbers beside axes, and most of that the parsing of formulas
(powers of ten), which are the same in hundreds of figures. What is kept depends on nothing but the text, its font and
the resolution, so that figures come out byte for byte as without.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import matplotlib.text
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.mathtext import MathTextParser

__all__ = ["parsed_once", "remember"]

MOST_TEXTS = 2**14

Metrics = Callable[[str, Any, object, float], tuple[float, float, float]]


@functools.cache
def remember() -> None:
    """Have sizes of texts and parsed formulas kept as long as the process lives; done once."""
    parse = getattr(MathTextParser, "_parse_cached", None)
    plain = getattr(parse, "__wrapped__", None)
    if plain is not None:
        setattr(MathTextParser, "_parse_cached", parsed_once(plain))  # noqa: B010  no name of the public interface
    metrics = getattr(matplotlib.text, "_get_text_metrics_function", None)
    if metrics is not None:
        setattr(matplotlib.text, "_get_text_metrics_function", _measuring(metrics))  # noqa: B010


def parsed_once(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Return how formulas are parsed: those for one kind of output alike, whichever figure asks."""
    first: dict[str, Any] = {}

    @functools.lru_cache(MOST_TEXTS)
    def parsed(kind: str, *of: Any) -> Any:
        return plain(first[kind], *of)

    def parse(parser: Any, *of: Any) -> Any:
        kind = parser._output_type
        first.setdefault(kind, parser)
        return parsed(kind, *of)

    return parse


def _measuring(plain: Callable[[Any], Metrics]) -> Callable[[Any], Metrics]:
    """Return what measures texts for a renderer: one function for all that measure alike."""
    known: dict[tuple[type, float], Metrics] = {}

    def function_of(renderer: Any) -> Metrics:
        if isinstance(renderer, MixedModeRenderer):  # what an SVG is written through
            renderer = renderer._renderer
        if type(renderer) not in (RendererAgg, RendererSVG):
            return plain(renderer)
        key = (type(renderer), float(getattr(renderer, "dpi", 72.0)))
        if key not in known:
            known[key] = _kept_by(renderer)
        return known[key]

    return function_of


def _kept_by(renderer: Any) -> Metrics:
    """Return what measures texts with this renderer, which stays alive for it, and remembers them."""

    @functools.lru_cache(MOST_TEXTS)
    def metrics(text: str, font: Any, ismath: object, dpi: float) -> tuple[float, float, float]:
        found: tuple[float, float, float] = renderer.get_text_width_height_descent(text, font, ismath)
        return found

    return metrics
