"""Contrasts over the cells of a grid, where several cells may be one arm: a knob may have no effect beside another.

A cell is its levels' places, one a factor. Along a factor, cells that agree in all else are a line. A line whose cells
are all one arm says nothing about the factor, and would only dilute its effect: it is left out of the mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

__all__ = ["Cells", "Lines", "level_effect", "lines_along", "proportional", "signed_sum", "trend_over"]

Cells: TypeAlias = Mapping[tuple[int, ...], str]
"""Places of a cell's levels -> the name of its arm."""

Lines: TypeAlias = Sequence[Sequence[str]]
"""The arms along a factor, a line each, in the order of its levels."""

Weights: TypeAlias = dict[str, float]

ZERO = 1e-12


def level_effect(lines: Lines, level: int) -> Weights:
    """Return the weights of one level of a factor against its first one, mean over its lines; {}: none."""
    pairs = [(line[0], line[level]) for line in lines if line[0] != line[level]]
    weights: Weights = {}
    for _, other in pairs:
        weights[other] = weights.get(other, 0.0) + 1.0 / len(pairs)
    for first, _ in pairs:
        weights[first] = weights.get(first, 0.0) - 1.0 / len(pairs)
    return _without_zeros(weights)


def trend_over(lines: Lines) -> Weights:
    """Return the weights of the linear trend over a factor's ordered levels: last minus first, if it is a line."""
    lines = [line for line in lines if len(set(line)) > 1]
    weights: Weights = {}
    n = len(lines[0]) if lines else 0
    centred_levels = [level - (n - 1) / 2 for level in range(n)]
    for level, centred in enumerate(centred_levels):
        scale = sum(other**2 for other in centred_levels) / (n - 1)
        for line in lines:
            weights[line[level]] = weights.get(line[level], 0.0) + centred / scale / len(lines)
    return _without_zeros(weights)


def signed_sum(arms: Sequence[str], signs: Sequence[int]) -> Weights:
    """Return the mean over runs of sign +1 minus that over runs of sign -1; a run is given by its arm."""
    weights: Weights = {}
    for arm, sign in zip(arms, signs, strict=True):
        weights[arm] = weights.get(arm, 0.0) + sign / (len(signs) / 2)
    return _without_zeros(weights)


def proportional(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Return whether two contrasts ask the same: equal but for a factor."""
    if one.keys() != other.keys() or not one:
        return False
    ratios = [one[arm] / other[arm] for arm in one]
    return all(math.isclose(ratio, ratios[0], rel_tol=1e-9) for ratio in ratios)


def lines_along(cells: Cells, place: int) -> list[list[str]]:
    """Return the arms along the factor at `place`, line by line."""
    lines: dict[tuple[int, ...], list[str]] = {}
    for cell, arm in cells.items():  # in the order of the product, so of the levels within a line
        lines.setdefault(cell[:place] + cell[place + 1 :], []).append(arm)
    return list(lines.values())


def _without_zeros(weights: Weights) -> Weights:
    return {arm: weight for arm, weight in weights.items() if abs(weight) > ZERO}
