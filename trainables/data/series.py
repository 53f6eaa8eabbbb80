"""Recordings cut into windows: samples in the order of time, never across a border, with plain features of each.

A border is where the person (or whatever a group stands for) or the label changes, so that no window mixes two.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["borders", "starts", "window_features"]

BANDS = (1, 2, 3, 4, 6, 9, 14, 26, 51)
"""Edges of eight bands of the spectrum, in bins: of windows of 2 s they are half a hertz wide."""

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


def borders(*columns: Ints) -> Ints:
    """Return the places at which a new stretch begins, 0 and the end among them, of (samples,) whole numbers.

    Args:
        columns: what is constant within a stretch, at least one.
    """
    changes = np.zeros(len(columns[0]), dtype=bool)
    for column in columns:
        changes[1:] |= column[1:] != column[:-1]
    return np.concatenate([[0], np.flatnonzero(changes), [len(changes)]]).astype(np.int64)


def starts(edges: Ints, window: int, step: int) -> Ints:
    """Return the first samples of all whole windows within the stretches between borders.

    Args:
        edges: as `borders` gives them.
        window: samples of a window.
        step: samples from one start to the next within a stretch.
    """
    found = [np.arange(first, last - window + 1, step) for first, last in pairwise(edges.tolist())]
    return np.concatenate(found).astype(np.int64) if found else np.zeros(0, dtype=np.int64)


def window_features(window: Floats) -> Floats:
    """Return 16 features of each channel of (samples, channels): moments, order statistics, changes, band powers."""
    steps = np.abs(np.diff(window, axis=0))
    power = np.abs(np.fft.rfft(window - window.mean(0), axis=0)) ** 2
    bands = [np.log1p(power[low:high].sum(0)) for low, high in pairwise(BANDS)]
    quartiles = np.quantile(window, (0.25, 0.5, 0.75), axis=0)
    moments = [window.mean(0), window.std(0), window.min(0), window.max(0), *quartiles, steps.mean(0)]
    return np.concatenate([*moments, *bands])
