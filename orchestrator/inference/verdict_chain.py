"""From per-arm, per-seed values to one judgement per contrast: the default chain of every verdict.

Pairing is by seed number and never by position; a missing or failed seed is named, not skipped over.  The
deciding arrays are in `orchestrator.inference.decisions`; the sentences are written by `analysis`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.inference.arm_seed_values import ArmSeedValues
from orchestrator.inference.collapse_test import critical, unlikely_to_show, upper_bound
from orchestrator.inference.decisions import Decisions, collapse_level, decide
from orchestrator.inference.judgement import (
    Contrast,
    Decision,
    Descriptive,
    Equivalence,
    Judgement,
    Living,
    MissingSeed,
    Overall,
    Working,
)
from orchestrator.inference.paired_parts import Cells, paired_parts
from orchestrator.inference.paired_tests import (
    deciding_interval_ends,
    interquartile_mean,
    paired_t,
    probability_of_improvement,
    visibly_skewed,
    wilcoxon,
)
from orchestrator.inference.sequential import Looks, is_futile, sequential_interval_ends
from orchestrator.inference.shared_draws import Sharing, sharing
from orchestrator.inference.sign_flip import Interval

__all__ = ["judge"]

Floats = NDArray[np.float64]


def judge(
    table: ArmSeedValues,
    contrasts: Sequence[Contrast],
    *,
    alpha: float = 0.05,
    margin: float | None = None,
    looks: Looks | None = None,
) -> list[Judgement]:
    """The default chain over the contrasts of one study, on its confirm seeds.

    Args:
        table: values, collapses and failures of every arm and seed; seeds in the order in which they were added.
        contrasts: the family; one with an attribute `cells` (arm -> weight each) is judged cell by cell.
        alpha: chance that the study claims any difference that is not there, in either part; and apart from it, that it
            claims any absence of one that is.
        margin: equivalence margin in units of the metric, stated before the run; None claims no equivalence.
        looks: when one looked, for sequential studies and for looks that were not planned; None: once, as planned.

    Returns:
        One judgement per contrast, in their order.

    Raises:
        RequestError: alpha or margin out of range, a contrast whose weights do not sum to zero.
        UnknownNameError: a contrast names an arm that is not there.
    """
    if not 0.0 < alpha < 1.0:
        raise RequestError(f"alpha {alpha}: must lie between 0 and 1")
    if not contrasts:
        return []
    cells = [_cells(contrast, table.arms) for contrast in contrasts]
    schedule = ((len(table.seeds), 1.0),) if looks is None else looks.schedule(len(table.seeds))
    seen = table.until(schedule[-1][0] if schedule else 0)
    sharings = [_sharing(seen, one) for one in cells]
    found = decide(seen.values, cells, works=seen.works, alpha=alpha, margin=margin, looks=looks, sharings=sharings)
    study = _Study(seen, cells, found, sharings, alpha, margin, looks)
    intervals = study.intervals()
    return [study.judgement(contrast, i, intervals[i]) for i, contrast in enumerate(contrasts)]


def _cells(contrast: Contrast, arms: tuple[str, ...]) -> Cells:
    parts = getattr(contrast, "cells", ()) or (contrast.weights,)
    rows = []
    for weights in parts:
        for arm in weights:
            if arm not in arms:
                raise UnknownNameError("arm", arm, arms)
        size = sum(abs(w) for w in weights.values())
        if size == 0.0 or not math.isfinite(size) or abs(sum(weights.values())) > 1e-9 * size:
            raise RequestError(
                f"contrast {contrast.name!r}: weights {dict(weights)} must be numbers that sum to zero, not all zero"
            )
        rows.append([float(weights.get(arm, 0.0)) for arm in arms])
    return np.array(rows)


def _sharing(table: ArmSeedValues, cells: Cells) -> Sharing:
    """Return which of the seeds that a contrast has are one draw."""
    there = np.isfinite(paired_parts(table.values, table.works, [cells]).shares[0])
    arms = np.flatnonzero(np.abs(cells).sum(axis=0))
    labels: list[set[str] | None] = []
    for seed, present in zip(table.seeds, there, strict=True):
        drawn: set[str] = set()
        for arm in arms:
            drawn.update(table.drawn.get(table.arms[arm], {}).get(seed, ()))
        labels.append(drawn if present else None)
    return sharing(labels)


@dataclass(frozen=True)
class _Study:
    """Everything that judgements are made of; arrays and lists run over the contrasts."""

    table: ArmSeedValues
    cells: Sequence[Cells]
    found: Decisions
    sharings: Sequence[Sharing]
    alpha: float
    margin: float | None
    looks: Looks | None

    def intervals(self) -> list[Interval]:
        """Intervals of the living parts, each of the look that its estimate is of."""
        rows = self.found.differences
        ends = np.array([np.full(len(rows), -np.inf), np.full(len(rows), np.inf), np.full(len(rows), np.nan)])
        grouped = np.array([one.grouped for one in self.sharings], dtype=bool)
        number = 1 if self.looks is None else self.looks.number
        for n in np.unique(self.found.decided_at):
            chosen = np.flatnonzero((self.found.decided_at == n) & ~grouped)
            if len(chosen):
                ends[:, chosen] = self._ends(rows[chosen, :n])
        if grouped.any():
            ends[:, grouped] = deciding_interval_ends(rows[grouped], 1.0 - self.alpha / number)
        return [Interval(float(a), float(b), 1.0 - self.alpha, math.isfinite(a), float(c)) for a, b, c in ends.T]

    def _ends(self, rows: Floats) -> Floats:
        if self.looks is None or rows.shape[-1] == 0:
            return np.array(deciding_interval_ends(rows, 1.0 - self.alpha))
        return np.array(sequential_interval_ends(rows, self.looks, self.alpha))

    def judgement(self, contrast: Contrast, i: int, interval: Interval) -> Judgement:
        decision, working = self._decision(i), self._working(i)
        return Judgement(
            name=contrast.name,
            weights=dict(contrast.weights),
            decision=decision,
            reason=self._reason(i, decision),
            working=working,
            living=self._living(i, interval),
            overall=self._overall(i),
            alpha=self.alpha,
            missing=self._missing(i),
            equivalence=self._equivalence(i),
            descriptive=_describe(self.found.differences[i], 1.0 - self.alpha),
            looks=self._looked_at(),
            decided_at=int(self.found.decided_at[i]),
            turned=bool(self.found.turned[i]),
            sharing=self.sharings[i],
            futile=decision == "inconclusive" and self._futile(i),
            collapse_futile=not working.shown and self._collapse_futile(i, working),
        )

    def _decision(self, i: int) -> Decision:
        if self.found.refused[i]:
            return "refused"
        if self.found.effect[i]:
            return "effect"
        return "equivalent" if self.found.equivalent[i] else "inconclusive"

    def _reason(self, i: int, decision: Decision) -> str:
        n, family, grouped = int(self.found.n_pairs[i]), len(self.found.p), self.sharings[i].grouped
        if decision == "refused":
            counted = "independent stage" if grouped else "seed"
            return f"{n} {counted}{'' if n == 1 else 's'} on which both work: a test needs two"
        if decision != "inconclusive":
            return ""
        if self.found.turned[i]:
            return "a difference was shown at an earlier look, and later seeds point the other way"
        share = 1.0 if self.looks is None else self.looks.share(len(self.table.seeds))
        number = 1 if self.looks is None else self.looks.number
        least = 2.0 ** (1 - n) * (number if grouped else 1.0 / share)
        floor = min(1.0, self.alpha * least / max(float(self.found.level[i]), 1e-300))
        if floor > self.alpha * (1 + 1e-9):
            counted = f"{n} {'independent stages' if grouped else 'pairs'} and {family} contrasts"
            return f"{counted} cannot reach {self.alpha:g}: the smallest corrected p is {floor:.3g}"
        return "neither an effect nor its absence is shown"

    def _living(self, i: int, interval: Interval) -> Living:
        row = self.found.differences[i][: self.found.decided_at[i]]
        there = np.isfinite(row)
        used = tuple(compress(self.table.seeds, there))
        refused = bool(self.found.refused[i])
        return Living(
            estimate=float(row[there].mean()) if there.any() else math.nan,
            interval=interval,
            p=math.nan if refused else float(self.found.p[i]),
            p_corrected=float(self.found.p_corrected[i]),
            seeds=used,
            differences=tuple(map(float, row[there])),
            better=int((row > 0).sum()),
            worse=int((row < 0).sum()),
            by_signs=bool(self.found.by_signs[i]),
            most=bool(self.found.most[i]),
            skewed=bool(visibly_skewed(row)),
        )

    def _working(self, i: int) -> Working:
        shares = self.found.parts.shares[i]
        there = np.isfinite(shares)
        n_seeds = int(there.sum())
        gone = np.where(np.isfinite(self.table.works), 1.0 - self.table.works, 0.0)
        known = np.isfinite(paired_parts(self.table.values, self.table.works, [self.cells[i]]).shares[0])
        lost = gone[:, known].sum(axis=1)
        first, second = _of_side(self.cells[i], lost), _of_side(-self.cells[i], lost)
        alone = int((shares > 0).sum()), int((shares < 0).sum())
        n_known = int(known.sum())
        return Working(
            n_seeds=n_seeds,
            not_working=(first, second),
            alone=alone,
            p=float(self.found.p_collapse[i]),
            p_corrected=float(self.found.p_collapse_corrected[i]),
            shown=bool(self.found.collapse[i]),
            needed=self._needed(i),
            bound=upper_bound(sum(alone), n_seeds),
            bounds=(upper_bound(math.ceil(first), n_known), upper_bound(math.ceil(second), n_known)),
        )

    def _needed(self, i: int) -> int:
        """Discordant seeds that the last look needs that may spend anything on how often the sides work."""
        level, n_seeds, weight, before = collapse_level(len(self.found.p), self.alpha), len(self.table.seeds), 1.0, 0.0
        for n, share in () if self.looks is None else self.looks.schedule(n_seeds):
            if share > before:
                n_seeds, weight, before = n, share - before, share
        known = int(np.isfinite(self.found.parts.shares[i][:n_seeds]).sum())
        if self.found.parts.two_arms[i] and not self.sharings[i].grouped and known:
            return critical(known, level * weight).needed
        return max(1, 1 + math.ceil(-math.log2(level * weight) - 1e-9))

    def _overall(self, i: int) -> Overall:
        everything = np.where(np.isfinite(self.table.values), 1.0, np.nan)
        differences = paired_parts(self.table.values, everything, [self.cells[i]]).living[0]
        _, interval = paired_t(differences, 1.0 - self.alpha)
        finite = differences[np.isfinite(differences)]
        return Overall(float(finite.mean()) if len(finite) else math.nan, interval, len(finite))

    def _equivalence(self, i: int) -> Equivalence | None:
        if self.margin is None:
            return None
        found = self.found
        p, corrected = float(found.p_equivalence[i]), float(found.p_equivalence_corrected[i])
        return Equivalence(self.margin, p, corrected, bool(found.equivalent[i]))

    def _missing(self, i: int) -> tuple[MissingSeed, ...]:
        """Seeds without an outcome of some arm, up to the last look to which any of the arms came.

        On another dataset a study may have stopped earlier; seeds after its stop are not missing.
        """
        table, part = self.table, np.flatnonzero(np.abs(self.cells[i]).sum(axis=0))
        absent = np.isnan(table.works[part])
        there = np.flatnonzero(~absent.all(axis=0))
        last = next((n for n in self._looked_at() if len(there) and n > there[-1]), len(table.seeds))
        missing = []
        for j in np.flatnonzero(absent[:, :last].any(axis=0)):
            arms = [table.arms[arm] for arm in part[absent[:, j]]]
            missing.append(MissingSeed(table.seeds[j], tuple(arms)))
        return tuple(missing)

    def _looked_at(self) -> tuple[int, ...]:
        """Numbers of seeds at which one looked; empty: once, as planned."""
        return () if self.looks is None else tuple(n for n, _ in self.looks.schedule(len(self.table.seeds)))

    def _futile(self, i: int) -> bool:
        n_final = 0 if self.looks is None else self.looks.planned[-1]
        if len(self.table.seeds) >= n_final or self.sharings[i].grouped:
            return False
        return is_futile(self.found.differences[i], n_final, self.alpha / len(self.found.p), self.margin)

    def _collapse_futile(self, i: int, working: Working) -> bool:
        if self.looks is None or len(self.table.seeds) >= self.looks.planned[-1]:
            return True
        level = collapse_level(len(self.found.p), self.alpha) * (1.0 - self.looks.share(len(self.table.seeds)))
        return unlikely_to_show(working.alone, working.n_seeds, self.looks.planned[-1], level)


def _of_side(cells: Cells, lost: Floats) -> float:
    """Return the seeds that the arms with positive weights lost, weighted: of (arms,) numbers of seeds."""
    weights = np.where(cells > 0, np.abs(cells), 0.0).sum(axis=0)
    return float((weights / weights.sum()) @ lost)


def _describe(differences: Floats, confidence: float) -> Descriptive:
    t_p, t_interval = paired_t(differences, confidence)
    finite = differences[np.isfinite(differences)]
    return Descriptive(
        t_p=t_p,
        t_interval=t_interval,
        wilcoxon_p=wilcoxon(finite),
        interquartile_mean=interquartile_mean(finite),
        probability_of_improvement=probability_of_improvement(finite),
        standard_deviation=float(finite.std(ddof=1)) if len(finite) > 1 else math.nan,
    )
