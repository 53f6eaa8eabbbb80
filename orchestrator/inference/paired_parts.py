"""Both parts of a contrast seed by seed: how good it is where both sides work, and on which seeds a side does not work.

A contrast over a grid of arms is a sum of *cells*, groups of arms that agree in everything that the contrast does not
vary. A seed counts the cells whose arms all work there, so that it never sets one level's living cells against the
other's dead ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from orchestrator.inference.judgement import Contrast

__all__ = [
    "Cells",
    "Matched",
    "PairedParts",
    "cells_of",
    "matched",
    "matched_cells",
    "paired_differences",
    "paired_parts",
]

Floats = NDArray[np.float64]
Cells = NDArray[np.float64]
"""(cells, arms) weights of one contrast; each cell's sum to zero."""

_MOST_FACTORS = 12
"""Beyond it arms are not a grid but a list: their contrast is one cell."""


@dataclass(frozen=True)
class PairedParts:
    """Both parts of every contrast, (..., contrasts, seeds) each."""

    living: Floats
    """Difference where both sides work; nan elsewhere."""
    shares: Floats
    """Share of the first side that does not work, less that of the second: -1, 0 or 1 between two arms; nan: not
    known."""
    two_arms: NDArray[np.bool_]
    """(contrasts,) whether each side is one arm."""


def cells_of(weights: ArrayLike | Sequence[Cells]) -> list[Cells]:
    """Return the cells of each contrast: one, if only (contrasts, arms) weights are given."""
    if isinstance(weights, (list, tuple)) and len(weights) and np.ndim(weights[0]) == 2:
        return [np.asarray(one, dtype=np.float64) for one in weights]
    return list(np.atleast_2d(np.asarray(weights, dtype=np.float64))[:, None, :])


def matched_cells(
    weights: Mapping[str, float], settings: Mapping[str, Mapping[str, object]]
) -> list[Mapping[str, float]]:
    """Split a contrast into its smallest groups of arms that repeat the same contrast under other settings.

    Args:
        weights: arm -> weight; zero weights are left out.
        settings: arm -> knob -> value; a knob that an arm does not name is at its default.

    Returns:
        One cell per combination of the settings that the contrast does not vary; the whole contrast as the only cell
        where arms do not match.
    """
    used = {arm: weight for arm, weight in weights.items() if weight}
    arms, signs = list(used), np.array(list(used.values()))
    levels = _levels(arms, settings) if len(arms) > 2 else np.zeros((0, len(arms)), dtype=int)
    for inside in _subsets(len(levels)):
        cell, place = _numbered(levels[~inside]), _numbered(levels[inside])
        table = np.full((cell.max() + 1, place.max() + 1), np.nan)
        table[cell, place] = signs
        repeated = table.size == len(arms) and bool(np.all(table == table[0]))
        if repeated and abs(float(table[0].sum())) < 1e-9:
            cells: list[dict[str, float]] = [{} for _ in table]
            for arm, number in zip(arms, cell, strict=True):
                cells[number][arm] = used[arm]
            return list(cells)
    return [used]


def _levels(arms: Sequence[str], settings: Mapping[str, Mapping[str, object]]) -> NDArray[np.int64]:
    """(factors, arms) number of the level of every arm, for what varies; knobs that vary together are one factor."""
    names = dict.fromkeys(itertools.chain.from_iterable(settings.get(arm, {}) for arm in arms))
    found: dict[tuple[int, ...], None] = {}
    for name in names:
        numbers: dict[str, int] = {}
        levels = [numbers.setdefault(repr(settings.get(arm, {}).get(name)), len(numbers)) for arm in arms]
        if len(numbers) > 1:
            found[tuple(levels)] = None
    return np.array(list(found), dtype=np.int64).reshape(len(found), len(arms))


def _numbered(levels: NDArray[np.int64]) -> NDArray[np.int64]:
    """(arms,) number of each arm's combination of levels."""
    if not len(levels):
        return np.zeros(levels.shape[1], dtype=np.int64)
    _, numbers = np.unique(levels, axis=1, return_inverse=True)
    return np.asarray(numbers, dtype=np.int64).reshape(-1)


@dataclass(frozen=True)
class Matched:
    """A contrast with its cells, as the judge takes it."""

    name: str
    weights: Mapping[str, float]
    cells: tuple[Mapping[str, float], ...]


def matched(contrasts: Sequence[Contrast], settings: Mapping[str, Mapping[str, object]]) -> list[Matched]:
    """Return contrasts with their cells.

    Args:
        contrasts: what is compared.
        settings: arm -> knob -> value, as in `matched_cells`.
    """
    return [Matched(one.name, one.weights, tuple(matched_cells(one.weights, settings))) for one in contrasts]


def _subsets(n_factors: int) -> Iterator[NDArray[np.bool_]]:
    """Yield which factors a contrast may vary, fewest first; nothing for more of them than any design crosses."""
    for size in range(1, n_factors) if n_factors <= _MOST_FACTORS else ():
        for chosen in itertools.combinations(range(n_factors), size):
            yield np.isin(np.arange(n_factors), chosen)


def paired_parts(values: ArrayLike, works: ArrayLike | None, contrasts: Sequence[Cells]) -> PairedParts:
    """Return both parts of every contrast.

    Args:
        values: (..., arms, seeds) metric; nan where there is none.
        works: (..., arms, seeds) 1 works, 0 does not, nan not known; None: every value that is there works.
        contrasts: the cells of each.
    """
    array = np.asarray(values, dtype=np.float64)
    alive = np.where(np.isfinite(array), 1.0, np.nan) if works is None else np.asarray(works, dtype=np.float64)
    metric = np.where(alive == 1.0, array, np.nan)
    shape = (*array.shape[:-2], len(contrasts), array.shape[-1])
    living, shares = np.full(shape, np.nan), np.full(shape, np.nan)
    two = np.zeros(len(contrasts), dtype=bool)
    for i, cells in enumerate(contrasts):
        scale = 0.5 * np.abs(cells).sum()
        two[i] = len(cells) == 1 and np.count_nonzero(cells) == 2
        living[..., i, :] = _over_cells(metric, cells)
        shares[..., i, :] = _over_cells(1.0 - alive, cells) / scale
    return PairedParts(living, shares, two)


def paired_differences(values: ArrayLike, weights: ArrayLike) -> Floats:
    """Return the weighted sum over arms per contrast and seed; nan where any arm of the contrast has no value.

    Args:
        values: (..., arms, seeds) metric; nan is missing or failed.
        weights: (contrasts, arms).

    Returns:
        (..., contrasts, seeds).
    """
    return paired_parts(values, None, cells_of(weights)).living


def _over_cells(array: Floats, cells: Cells) -> Floats:
    """(..., seeds) the contrast, from the cells of which every arm is known, at the scale of all cells."""
    total = np.zeros((*array.shape[:-2], array.shape[-1]))
    known = np.zeros(total.shape)
    for cell in cells:
        part = np.zeros(total.shape)
        for arm in np.flatnonzero(cell):
            part = part + cell[arm] * array[..., arm, :]
        there = np.isfinite(part)
        total += np.where(there, part, 0.0)
        known += there
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known > 0, total * len(cells) / known, np.nan)
