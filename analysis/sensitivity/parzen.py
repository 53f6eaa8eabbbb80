"""PED-ANOVA of many resamples of the same configurations at once (Watanabe et al. 2023, IJCAI; arXiv:2304.10255).

The numbers are those of Optuna's `PedAnovaImportanceEvaluator`, of which one call a resample takes ten times as long:
a configuration's cell on each knob's grid is found once, and a resample is a count of cells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from scipy.special import ndtr

__all__ = ["shares"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

MOST_CELLS = 50
"""Of a knob's grid; Optuna's number, as are all others here."""
LEAST_WIDTH = 0.5 / 1.64
FLOOR = 1e-12
"""Is added to each density."""


def shares(
    tried: Mapping[str, Sequence[Any]],
    known: Mapping[str, BaseDistribution],
    objective: Floats,
    drawn: Whole,
    best: float,
) -> Floats:
    """Return each knob's share in reaching the best configurations, of each resample; nan where nothing has any.

    Args:
        tried: knob -> (configurations,) the values that were tried.
        known: knob -> its distribution, in the order of the columns of the answer.
        objective: (configurations,) what is to be large.
        drawn: (resamples, size) places of configurations.
        best: the share of a resample that counts as the best.

    Returns:
        (resamples, knobs).
    """
    loss = -objective[drawn]
    last = math.ceil(best * drawn.shape[1]) - 1
    top = loss <= np.partition(loss, last, axis=1)[:, last : last + 1]
    raw = np.empty((len(drawn), len(known)))
    for place, (name, kind) in enumerate(known.items()):
        cells, n_cells = _cells(tried[name], kind)
        density = _of_options if isinstance(kind, CategoricalDistribution) else _of_numbers
        of_top = density(_counts(cells[drawn], n_cells, top)) + FLOOR
        of_all = density(_counts(cells[drawn], n_cells, np.ones_like(top))) + FLOOR
        raw[:, place] = (of_all * (of_top / of_all - 1) ** 2).sum(axis=1)
    total = raw.sum(axis=1, keepdims=True)
    found: Floats = np.divide(raw, total, out=np.full_like(raw, np.nan), where=total > 0)
    return found


def _cells(values: Sequence[Any], kind: BaseDistribution) -> tuple[Whole, int]:
    """Return the cell of each value on a knob's grid, and how many cells there are."""
    if isinstance(kind, CategoricalDistribution):
        return np.array([int(kind.to_internal_repr(value)) for value in values]), len(kind.choices)
    assert isinstance(kind, FloatDistribution | IntDistribution)
    n_cells = MOST_CELLS
    if isinstance(kind, IntDistribution) and kind.log:
        n_cells = min(math.ceil(math.log(kind.high - kind.low + 1) / math.log(2)) + 1, n_cells)
    elif kind.step is not None:
        n_cells = min(round((kind.high - kind.low) / kind.step) + 1, n_cells)
    scaled = np.log if kind.log else np.asarray
    low, high = scaled(kind.low), scaled(kind.high)
    at = (scaled(np.array(values, dtype=np.float64)) - low) / ((high - low) / (n_cells - 1))
    return np.clip(np.ceil(at - 0.5).astype(np.int64), 0, n_cells - 1), n_cells


def _counts(cells: Whole, n_cells: int, counted: NDArray[np.bool_]) -> Whole:
    """Return (resamples, cells) how often each cell is there among those that are counted."""
    places = cells + n_cells * np.arange(len(cells))[:, None]
    found: Whole = np.bincount(places[counted], minlength=n_cells * len(cells)).reshape(-1, n_cells)
    return found


def _of_options(counts: Whole) -> Floats:
    """Return (resamples, options) the density of Parzen windows over options, the prior one of them."""
    n_options, total = counts.shape[1], counts.sum(axis=1, keepdims=True)
    prior = 1 / ((counts > 0).sum(axis=1, keepdims=True) + 1)
    found: Floats = ((counts + total * prior) / (1 + n_options * prior) + 1 / n_options) / (total + 1)
    return found


def _of_numbers(counts: Whole) -> Floats:
    """Return (resamples, cells) the density of Gaussian windows, cut off at the ends, by Scott's rule, and a prior."""
    n_cells, total = counts.shape[1], counts.sum(axis=1, keepdims=True)
    grid = np.arange(n_cells)
    width = np.maximum(_scott(counts), LEAST_WIDTH)[:, None]
    edges = ndtr((np.arange(-n_cells, n_cells) + 0.5) / width)  # of windows, by distance from the middle
    apart = grid[:, None] - grid + n_cells  # cell less window, as a place among the edges
    within = edges[:, 2 * n_cells - 1 - grid] - edges[:, n_cells - 1 - grid]
    weights = counts / within
    windows = np.einsum("rcw,rw->rc", edges[:, apart] - edges[:, apart - 1], weights)
    ends = ndtr((np.arange(n_cells + 1) - 0.5 - (n_cells - 1) / 2) / n_cells)
    prior = np.diff(ends) / (ends[-1] - ends[0])
    found: Floats = (windows + prior) / (total + 1)
    return found


def _scott(counts: Whole) -> Floats:
    """Return (resamples,) the width of windows by Scott's rule (1992), from the spread and the quartiles."""
    total, grid = counts.sum(axis=1), np.arange(counts.shape[1])
    mean = counts @ grid / total
    spread = np.sqrt(((grid - mean[:, None]) ** 2 * counts).sum(axis=1) / np.maximum(1, total - 1))
    so_far = np.cumsum(counts, axis=1)
    first = np.argmax(so_far >= np.maximum(1, total // 4)[:, None], axis=1)
    third = np.argmax(so_far > (total * 3 // 4)[:, None], axis=1)
    width: Floats = 1.059 * np.minimum((third - first) / 1.34, spread) * total**-0.2
    return width
