"""What the judge takes: for every arm and seed of a study a value, or why there is none; run and report share it.

The stopping rule of a run and the report of a ledger both lay their trials out as `Outcome`s and hand them to
`ArmSeedValues.of`; everything that a verdict knows of a trial is in this table.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import RequestError

__all__ = ["NOT_OF_THE_ARM", "ArmSeedValues", "Outcome"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Key = TypeVar("Key")

NOT_OF_THE_ARM = ("data", "infrastructure", "preemption")
"""Kinds of failure that say nothing of the arm: such a trial is missing. After any other the arm did not work."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one planned trial ended, as the judge sees it."""

    arm: str
    seed: int
    state: str
    """`complete`, `failed`, or anything else: not there (yet)."""
    value: float = math.nan
    """The metric of a complete trial."""
    collapsed: bool = False
    failure_kind: str = ""
    drawn: Collection[str] = ()
    """What the trial builds on that was made once, with a draw of its own."""


@dataclass(frozen=True)
class ArmSeedValues:
    """Arms x seeds of one study.

    Attributes:
        arms: names, baseline first.
        seeds: in the order in which they were added; looks count along them.
        values: (arms, seeds) metric of complete trials; nan: none.
        collapsed: (arms, seeds) complete, but collapsed.
        failed: (arms, seeds) ended in a failure of its own.
        drawn: arm -> seed -> what the trial builds on that was made once, with a draw of its own.
    """

    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    values: Floats
    collapsed: Bools
    failed: Bools
    drawn: Mapping[str, Mapping[int, Collection[str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, outcomes: Iterable[Outcome], arms: Sequence[str], seeds: Sequence[int] | None = None) -> ArmSeedValues:
        """Lay trials out by arm and seed.

        Args:
            outcomes: at most one a pair of arm and seed.
            arms: every arm of the study, so that one without a single trial is seen.
            seeds: those that were asked for, in the order in which they were added; None: those that there are, in
                increasing order.

        Raises:
            RequestError: a seed that is asked for twice.
        """
        known = [one for one in outcomes if one.state in ("complete", "failed")]
        names = tuple(dict.fromkeys([*arms, *(one.arm for one in known)]))
        columns = tuple(sorted({one.seed for one in known}) if seeds is None else seeds)
        if len(set(columns)) != len(columns):
            raise RequestError(f"seeds {list(columns)}: each may be asked for once")
        row, column = _places(names), _places(columns)
        shape = (len(names), len(columns))
        values, collapsed, failed = np.full(shape, np.nan), np.zeros(shape, bool), np.zeros(shape, bool)
        drawn: dict[str, dict[int, Collection[str]]] = {}
        for one in known:
            if one.seed not in column:
                continue
            place = row[one.arm], column[one.seed]
            if one.state == "failed":
                failed[place] = one.failure_kind not in NOT_OF_THE_ARM
            elif math.isfinite(one.value):
                values[place], collapsed[place] = one.value, one.collapsed
            if one.drawn:
                drawn.setdefault(one.arm, {})[one.seed] = one.drawn
        return cls(names, columns, values, collapsed, failed, drawn)

    @classmethod
    def of_mappings(
        cls,
        values: Mapping[str, Mapping[int, float]],
        collapsed: Mapping[str, Mapping[int, bool]] | None = None,
        *,
        failed: Mapping[str, Collection[int]] | None = None,
        seeds: Sequence[int] | None = None,
        drawn: Mapping[str, Mapping[int, Collection[str]]] | None = None,
    ) -> ArmSeedValues:
        """Lay numbers out that are no trials of a ledger.

        Args:
            values: arm -> seed -> metric; nan or absent is missing.
            collapsed: arm -> seed -> whether that trial collapsed; absent is "not collapsed".
            failed: arm -> seeds on which it failed.
            seeds: as in `of`.
            drawn: as in `Outcome`, by arm and seed.
        """
        gone, shared = collapsed or {}, drawn or {}
        outcomes = []
        for arm, row in values.items():
            for seed, value in row.items():
                collapses, stages = gone.get(arm, {}).get(seed, False), shared.get(arm, {}).get(seed, ())
                outcomes.append(
                    Outcome(
                        arm=arm,
                        seed=seed,
                        state="complete",
                        value=float(value),
                        collapsed=bool(collapses),
                        drawn=stages,
                    )
                )
        for arm, lost in (failed or {}).items():
            for seed in lost:
                outcomes.append(Outcome(arm=arm, seed=seed, state="failed"))
        return cls.of(outcomes, list(values), seeds)

    @property
    def works(self) -> Floats:
        """(arms, seeds) 1: trained and alive; 0: collapsed or failed; nan: not known."""
        alive = np.where(np.isfinite(self.values), np.where(self.collapsed, 0.0, 1.0), np.nan)
        return np.where(self.failed, 0.0, alive)

    def until(self, n_seeds: int) -> ArmSeedValues:
        """Return the table of the first `n_seeds` seeds."""
        return replace(
            self,
            seeds=self.seeds[:n_seeds],
            values=self.values[:, :n_seeds],
            collapsed=self.collapsed[:, :n_seeds],
            failed=self.failed[:, :n_seeds],
        )

    def by_seed(self) -> dict[str, dict[int, float]]:
        """Return arm -> {seed: value} of complete trials; every arm is a key."""
        found: dict[str, dict[int, float]] = {}
        for arm, row in zip(self.arms, self.values, strict=True):
            there = np.flatnonzero(np.isfinite(row))
            found[arm] = {self.seeds[i]: float(row[i]) for i in there}
        return found

    def collapsed_by_seed(self) -> dict[str, dict[int, bool]]:
        """Return arm -> {seed: collapsed} of complete trials; every arm is a key."""
        found: dict[str, dict[int, bool]] = {}
        for arm, row, gone in zip(self.arms, self.values, self.collapsed, strict=True):
            there = np.flatnonzero(np.isfinite(row))
            found[arm] = {self.seeds[i]: bool(gone[i]) for i in there}
        return found


def _places(keys: Sequence[Key]) -> dict[Key, int]:
    return dict(zip(keys, range(len(keys)), strict=True))
