"""From per-arm, per-seed values to one judgement per contrast: the default chain of every verdict.

Pairing is by seed number and never by position; a missing or failed seed is named, not skipped over.  The
deciding arrays are in `orchestrator.inference.decisions`; the sentences are written by `analysis`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.inference.decisions import Decisions, decide, paired_differences
from orchestrator.inference.judgement import (
    CollapseComparison,
    Contrast,
    Decision,
    Descriptive,
    Effect,
    Equivalence,
    Judgement,
    MissingSeed,
)
from orchestrator.inference.paired_tests import (
    fisher_collapse,
    holm,
    interquartile_mean,
    paired_t,
    probability_of_improvement,
    wilcoxon,
)
from orchestrator.inference.sequential import Looks, is_futile, sequential_interval_ends
from orchestrator.inference.shared_draws import Seeds, Sharing, by_unit, sharing
from orchestrator.inference.sign_flip import Interval, interval_ends, sign_flip_p

__all__ = [
    "CollapseComparison",
    "Contrast",
    "Descriptive",
    "Effect",
    "Equivalence",
    "Judgement",
    "MissingSeed",
    "judge",
]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_FEW_PAIRS = 20
"""Below this many pairs a collapse mixture makes the interval unreliable (simulated coverage)."""


def judge(
    values: Mapping[str, Mapping[int, float]],
    collapsed: Mapping[str, Mapping[int, bool]],
    contrasts: Sequence[Contrast],
    *,
    alpha: float = 0.05,
    margin: float | None = None,
    looks: Looks | None = None,
    seeds: Seeds | Sequence[int] | None = None,
) -> list[Judgement]:
    """The default chain over the contrasts of one study, on its confirm seeds.

    Args:
        values: arm -> seed -> metric; nan or absent is missing or failed.
        collapsed: arm -> seed -> whether that member collapsed; absent is "not collapsed".
        contrasts: the family that Holm corrects over.
        alpha: family-wise error rate.
        margin: equivalence margin in units of the metric, stated before the run; None claims no equivalence.
        looks: when one looked, for sequential studies and for looks that were not planned; None: once, as planned.
        seeds: the seeds that were asked for, in the order in which they were added: one that no arm has is then
            named as missing too.  None: all seeds of `values`, in increasing order.  `Seeds` says besides what they
            share.

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
    known = seeds if isinstance(seeds, Seeds) else Seeds(seeds)
    table = _Table.of(values, collapsed, contrasts, known.asked)
    sharings = _sharings(table, known, looks)
    decisions = decide(table.values, table.weights, alpha=alpha, margin=margin, looks=looks, sharings=sharings)
    table = table.until(decisions.differences.shape[-1])
    kept = np.where(table.any_collapsed, np.nan, paired_differences(table.values, table.weights))
    kept = np.array([by_unit(row, one.units) for row, one in zip(kept, sharings, strict=True)])
    company = _Company(
        whole=_effects(decisions.differences, decisions.p, alpha, table.seeds, looks, sharings),
        others=_effects(kept, sign_flip_p(kept), alpha, table.seeds),
        sharings=sharings,
        collapse=_collapse(table),
        looks=() if looks is None else tuple(n for n, _ in looks.schedule(len(table.seeds))),
        n_final=0 if looks is None else looks.planned[-1],
        share=1.0 if looks is None else looks.share(len(table.seeds)),
        number=1 if looks is None else looks.number,
    )
    return [_judgement(contrast, i, decisions, company, table, alpha, margin) for i, contrast in enumerate(contrasts)]


@dataclass(frozen=True)
class _Company:
    """Per contrast, what stands beside the decisions."""

    whole: list[Effect]
    others: list[Effect]
    collapse: list[CollapseComparison]
    sharings: list[Sharing]
    looks: tuple[int, ...]
    n_final: int
    share: float
    number: int
    """How many looks there are at most."""


def _judgement(
    contrast: Contrast,
    i: int,
    decisions: Decisions,
    company: _Company,
    table: _Table,
    alpha: float,
    margin: float | None,
) -> Judgement:
    differences = decisions.differences[i]
    decision = _decision(decisions, i)
    futile = False
    if decision == "inconclusive" and len(table.seeds) < company.n_final and not company.sharings[i].grouped:
        futile = is_futile(differences, company.n_final, alpha / len(decisions.p), margin)
    collapse = company.collapse[i]
    return Judgement(
        name=contrast.name,
        weights=dict(contrast.weights),
        decision=decision,
        reason=_reason(decisions, i, alpha, company),
        all_seeds=company.whole[i],
        p_corrected=float(decisions.p_corrected[i]),
        alpha=alpha,
        missing=table.missing(i, company.looks),
        equivalence=None if margin is None else _equivalence(decisions, i, margin),
        collapse=collapse,
        non_collapsed=company.others[i],
        descriptive=_describe(differences, 1.0 - alpha),
        interval_unreliable=bool(decisions.n_pairs[i] < _FEW_PAIRS and any(collapse.collapsed)),
        looks=company.looks,
        sharing=company.sharings[i],
        futile=futile,
    )


@dataclass(frozen=True)
class _Table:
    """The mappings as arrays over one common, sorted list of seeds."""

    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    values: Floats
    collapsed: Bools
    weights: Floats

    @classmethod
    def of(
        cls,
        values: Mapping[str, Mapping[int, float]],
        collapsed: Mapping[str, Mapping[int, bool]],
        contrasts: Sequence[Contrast],
        asked: Sequence[int] | None,
    ) -> _Table:
        arms = tuple(values)
        seeds = tuple(sorted({seed for of_arm in values.values() for seed in of_arm}) if asked is None else asked)
        if len(set(seeds)) != len(seeds):
            raise RequestError(f"seeds {list(seeds)}: each may be asked for once")
        weights = np.array([_weights(contrast, arms) for contrast in contrasts])
        table = np.array([[values[arm].get(seed, math.nan) for seed in seeds] for arm in arms], dtype=np.float64)
        flags = [[bool(collapsed.get(arm, {}).get(seed, False)) for seed in seeds] for arm in arms]
        shape = (len(arms), len(seeds))
        return cls(arms, seeds, table.reshape(shape), np.array(flags, dtype=bool).reshape(shape), weights)

    @property
    def any_collapsed(self) -> Bools:
        """(contrasts, seeds): some arm of the contrast collapsed on that seed."""
        gone: Bools = ((self.weights != 0).astype(np.int64) @ self.collapsed.astype(np.int64)) > 0
        return gone

    def until(self, n_seeds: int) -> _Table:
        """The same, for the first `n_seeds` seeds."""
        return replace(
            self, seeds=self.seeds[:n_seeds], values=self.values[:, :n_seeds], collapsed=self.collapsed[:, :n_seeds]
        )

    def missing(self, contrast: int, looks: tuple[int, ...]) -> tuple[MissingSeed, ...]:
        """Seeds that an arm of the contrast lacks, up to the last look to which any of its arms came.

        On another dataset a study may have stopped earlier; seeds after its stop are not missing.
        """
        part = np.flatnonzero(self.weights[contrast])
        absent = ~np.isfinite(self.values[part])
        there = np.flatnonzero(~absent.all(axis=0))
        last = next((n for n in looks if len(there) and n > there[-1]), len(self.seeds))
        return tuple(
            MissingSeed(self.seeds[j], tuple(self.arms[part[k]] for k in np.flatnonzero(absent[:, j])))
            for j in np.flatnonzero(absent[:, :last].any(axis=0))
        )


def _weights(contrast: Contrast, arms: tuple[str, ...]) -> list[float]:
    weights = dict(contrast.weights)
    for arm in weights:
        if arm not in arms:
            raise UnknownNameError("arm", arm, arms)
    size = sum(abs(w) for w in weights.values())
    if size == 0.0 or not math.isfinite(size) or abs(sum(weights.values())) > 1e-9 * size:
        raise RequestError(
            f"contrast {contrast.name!r}: weights {weights} must be numbers that sum to zero, not all zero"
        )
    return [float(weights.get(arm, 0.0)) for arm in arms]


def _sharings(table: _Table, known: Seeds, looks: Looks | None) -> list[Sharing]:
    """Return, for each contrast, which of the seeds that it has are one draw, up to the last look."""
    n = len(table.seeds)
    if looks is not None:
        schedule = looks.schedule(n)
        n = schedule[-1][0] if schedule else 0
    found = []
    there = np.isfinite(paired_differences(table.values, table.weights))
    for weights, present in zip(table.weights, there, strict=True):
        arms = [known.stages.get(table.arms[arm], {}) for arm in np.flatnonzero(weights)]
        labels = [
            {label for arm in arms for label in arm.get(seed, ())} if counts else None
            for seed, counts in zip(table.seeds[:n], present[:n], strict=True)
        ]
        found.append(sharing(labels))
    return found


def _effects(
    differences: Floats,
    p: Floats,
    alpha: float,
    seeds: tuple[int, ...],
    looks: Looks | None = None,
    sharings: Sequence[Sharing] = (),
) -> list[Effect]:
    confidence = 1.0 - alpha
    if looks is None or not seeds:
        low, high, attained = interval_ends(differences, confidence)
    else:
        low, high, attained = sequential_interval_ends(differences, looks, alpha)
        for i, one in enumerate(sharings):
            if one.grouped:
                ends = interval_ends(differences[i : i + 1], 1.0 - alpha / looks.number)
                low[i], high[i], attained[i] = (end[0] for end in ends)
    effects = []
    for i, row in enumerate(differences):
        there = np.isfinite(row)
        interval = Interval(float(low[i]), float(high[i]), confidence, math.isfinite(low[i]), float(attained[i]))
        estimate = float(row[there].mean()) if there.any() else math.nan
        used = tuple(seed for seed, present in zip(seeds, there, strict=True) if present)
        effects.append(Effect(estimate, interval, float(p[i]) if len(used) > 1 else math.nan, used))
    return effects


def _collapse(table: _Table) -> list[CollapseComparison]:
    trained = np.isfinite(table.values)
    gone = (table.collapsed & trained).sum(axis=1)
    there = trained.sum(axis=1)
    sides = [(row > 0, row < 0) for row in table.weights]
    counts = [(int(gone[a].sum()), int(gone[b].sum())) for a, b in sides]
    totals = [(int(there[a].sum()), int(there[b].sum())) for a, b in sides]
    p = np.array([fisher_collapse(count, total) for count, total in zip(counts, totals, strict=True)])
    rows = zip(counts, totals, p, holm(p), strict=True)
    return [CollapseComparison(count, total, float(one), float(all_)) for count, total, one, all_ in rows]


def _equivalence(decisions: Decisions, i: int, margin: float) -> Equivalence:
    return Equivalence(
        margin,
        float(decisions.p_equivalence[i]),
        float(decisions.p_equivalence_corrected[i]),
        bool(decisions.equivalent[i]),
    )


def _decision(decisions: Decisions, i: int) -> Decision:
    if decisions.refused[i]:
        return "refused"
    if decisions.effect[i]:
        return "effect"
    return "equivalent" if decisions.equivalent[i] else "inconclusive"


def _reason(decisions: Decisions, i: int, alpha: float, company: _Company) -> str:
    n, family, grouped = int(decisions.n_pairs[i]), len(decisions.p), company.sharings[i].grouped
    if decisions.refused[i]:
        counted = "independent stage" if grouped else "complete pair"
        return f"{n} {counted}{'' if n == 1 else 's'}: a test needs two"
    if _decision(decisions, i) != "inconclusive":
        return ""
    floor = min(1.0, family * 2.0 ** (1 - n) * (company.number if grouped else 1.0 / company.share))
    if floor > alpha:
        counted = f"{n} {'independent stages' if grouped else 'pairs'} and {family} contrasts"
        return f"{counted} cannot reach {alpha:g}: the smallest corrected p is {floor:.3g}"
    return "neither an effect nor its absence is shown"


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
