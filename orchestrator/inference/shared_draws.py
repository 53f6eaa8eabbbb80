"""Seeds that share something made once, with a draw of its own: they are not independent, and are not counted so.

Four pretrained encoders with five seeds each are four draws of an encoder, not twenty. So the differences of seeds that
share a stage are averaged first, and the test sees one value a stage: its exactness needs only that these are
independent and symmetric under the null hypothesis. What all seeds have in common cannot be tested that way: the test
then speaks of what comes after it, given that one draw, and the verdict says so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Sharing", "by_unit", "sharing"]

Floats = NDArray[np.float64]

ABSENT = -1
"""The unit of a seed whose pair is missing."""


@dataclass(frozen=True)
class Sharing:
    """Which of some seeds are one draw together."""

    units: tuple[int, ...]
    """The unit of each seed, numbered in order of appearance; ABSENT for a seed that does not count."""
    common: tuple[str, ...] = ()
    """What every seed builds on: results are given it."""

    @property
    def n_seeds(self) -> int:
        """How many seeds count."""
        return sum(unit != ABSENT for unit in self.units)

    @property
    def n_units(self) -> int:
        """How many independent draws they are."""
        return len(set(self.units) - {ABSENT})

    @property
    def grouped(self) -> bool:
        """Whether there are fewer of them than seeds."""
        return self.n_units < self.n_seeds


def sharing(labels: Sequence[Collection[str] | None]) -> Sharing:
    """Return which seeds are one draw together.

    Args:
        labels: for each seed, the stages drawn by a seed that any of its trials builds on; None: it does not count.

    Returns:
        A stage of every seed (of two seeds or more) is common. Seeds that share any other are one unit, also by way of
        a third seed.
    """
    counting = [set(own) for own in labels if own is not None]
    common = set.intersection(*counting) if len(counting) > 1 else set()
    first: dict[str, int] = {}
    parent = list(range(len(labels)))

    def root(seed: int) -> int:
        while parent[seed] != seed:
            seed = parent[seed]
        return seed

    for seed, own in enumerate(labels):
        for label in set(own or ()) - common:
            one, other = sorted((root(seed), root(first.setdefault(label, seed))))
            parent[other] = one
    place: dict[int, int] = {}
    units = []
    for seed, own in enumerate(labels):
        units.append(ABSENT if own is None else place.setdefault(root(seed), len(place)))
    return Sharing(tuple(units), tuple(sorted(common)))


def by_unit(differences: ArrayLike, units: Sequence[int]) -> Floats:
    """Return the mean difference of each unit in the place of its first seed, and nan in those of its others.

    Args:
        differences: (..., n) paired differences; nan is a missing pair and is left out of its unit's mean.
        units: (n,) the unit of each seed.

    Returns:
        (..., n); the same numbers where every seed is a unit of its own. A unit without a pair is nan.
    """
    array = np.asarray(differences, dtype=np.float64)
    labels = np.asarray(units)
    out = np.full(array.shape, np.nan)
    for unit in dict.fromkeys(units):
        places = np.flatnonzero(labels == unit)
        if len(places) == 1:
            out[..., places[0]] = array[..., places[0]]
            continue
        there = np.isfinite(array[..., places])
        count = there.sum(axis=-1)
        total = np.where(there, array[..., places], 0.0).sum(axis=-1)
        out[..., places[0]] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return out
