"""The deciding part of the verdict chain on plain arrays, for one study or for thousands at once.

A contrast has two parts: how often its sides work (`orchestrator.inference.collapse_test`) and how good they are where
both work (`deciding_p`). All parts of all contrasts are one family. Each contrast starts with an equal share of alpha;
its collapse test may spend at most `COLLAPSE_SHARE` of it, and only where it has discordant seeds enough to come close
to saying anything; the rest is the other part's. A test that cannot reject, of either part, costs nothing (Tarone
1990). What is shown hands its share on to what is not, as Holm does. Equivalence is a family of its own.

Names, intervals and descriptive company are added by `orchestrator.inference.verdict_chain`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from orchestrator.inference.collapse_test import collapse_of
from orchestrator.inference.paired_parts import Cells, PairedParts, cells_of, paired_differences, paired_parts
from orchestrator.inference.paired_tests import (
    check_margin,
    deciding_p,
    holm,
    sign_test_p,
    step_down,
    visibly_skewed,
)
from orchestrator.inference.sequential import Looks, sequential_p
from orchestrator.inference.shared_draws import Sharing, by_unit
from orchestrator.inference.sign_flip import Alternative, one_dominates

__all__ = ["COLLAPSE_SHARE", "Decisions", "collapse_level", "decide", "paired_differences"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

COLLAPSE_SHARE = 0.8
"""Of a contrast's share of alpha, what its collapse test may spend where it can say something: 5 of 12 against 0 of 12
then counts in a study of one contrast, and a fifth is left for the other part."""
_SLACK = 1e-12
"""p * m == alpha must count as reached whatever the rounding of the product."""


@dataclass(frozen=True)
class Decisions:
    """What the tests say about every contrast of every study; arrays (..., contrasts) unless said otherwise."""

    parts: PairedParts
    """Of seeds that are one unit: their mean in the place of the first. Seeds after the last look are cut off."""
    n_pairs: Ints
    """Seeds (or units) on which both sides work."""
    estimate: Floats
    """Mean difference where both work, of the look that decided or of the last one."""
    p: Floats
    """Of the part "how good where both work"; nan where fewer than two pairs are left (refused)."""
    p_corrected: Floats
    level: Floats
    """What that p is compared with at its place in the steps of the family."""
    effect: Bools
    """The sides differ where both work."""
    by_signs: Bools
    """Signs were counted instead of summed differences, since one of these dominates."""
    most: Bools
    """And one is better on most seeds (sign test, Holm over the contrasts)."""
    p_equivalence: Floats
    """nan without a margin."""
    p_equivalence_corrected: Floats
    equivalent: Bools
    refused: Bools
    p_collapse: Floats
    """Of the part "how often it works"."""
    p_collapse_corrected: Floats
    collapse: Bools
    """One side works more often."""
    decided_at: Ints
    """Seeds of the look whose estimate and interval count: the first that showed what is shown, else the last."""
    turned: Bools
    """Something was shown at a look, and by the last one the data point the other way: nothing is claimed."""

    @property
    def differences(self) -> Floats:
        """(..., contrasts, seeds) differences where both sides work."""
        return self.parts.living


def collapse_level(n_contrasts: int, alpha: float) -> float:
    """Return the level of the collapse test of one of so many contrasts."""
    return COLLAPSE_SHARE * alpha / n_contrasts


def decide(
    values: ArrayLike,
    weights: ArrayLike | Sequence[Cells],
    *,
    works: ArrayLike | None = None,
    alpha: float = 0.05,
    margin: float | None = None,
    looks: Looks | None = None,
    sharings: Sequence[Sharing] | None = None,
) -> Decisions:
    """The default chain: both parts of every contrast as one family, and equivalence where a margin is given.

    Args:
        values: (..., arms, seeds) metric; nan is missing or failed; leading axes are independent studies; seeds in
            the order in which they were added.
        weights: (contrasts, arms), or the cells (cells, arms) of each contrast.
        works: (..., arms, seeds) 1 works, 0 collapsed or failed, nan not known; None: every value that is there works.
        alpha: chance that any difference, of either part, is claimed where there is none; and, apart from it, that any
            absence of a difference is.
        margin: equivalence margin in units of the metric, stated before the run.
        looks: when one looked; the p-values are then sequentially valid and seeds after the last look are not used.
            None: one look at all seeds, as planned.
        sharings: for each contrast, which of the seeds that count are one unit of the test; None: each its own.
    """
    if margin is not None:
        check_margin(margin)
    grouped = tuple(i for i, one in enumerate(sharings or ()) if one.grouped)
    return _Family(alpha, margin, looks, grouped).decisions(_parts(values, works, cells_of(weights), looks, sharings))


@dataclass(frozen=True)
class _Tests:
    """One test of every contrast, over the looks."""

    running: Floats
    """(..., contrasts, looks) smallest p so far."""
    n_pairs: Ints
    corrected: Floats
    level: Floats
    shown: Bools

    @property
    def p(self) -> Floats:
        """(..., contrasts) p over all looks; nan: refused."""
        return np.where(self.n_pairs < 2, np.nan, self.running[..., -1])

    def first(self) -> Ints:
        """Index of the first look that shows what is shown; the number of looks elsewhere."""
        return _first(self.running, np.where(self.shown, self.level, 0.0))


@dataclass(frozen=True)
class _Family:
    """What the tests of a study have in common."""

    alpha: float
    margin: float | None
    looks: Looks | None
    grouped: tuple[int, ...]
    """Contrasts whose seeds make fewer units: these grow between looks, so that each look is paid for in full."""

    def decisions(self, parts: PairedParts) -> Decisions:
        """Test every contrast in both of its parts, and hold what earlier looks showed against the last one."""
        collapse, cost = self.collapse(parts)
        limit = collapse_level(collapse.shape[-2], self.alpha)
        shown = collapse[..., -1] <= limit * (1 + _SLACK)
        living = self.living(parts.living, np.where(shown, 0.0, cost))
        same = self.equivalence(parts.living)
        found = Decisions(
            parts=parts,
            n_pairs=living.n_pairs,
            estimate=_mean(parts.living, None),
            p=living.p,
            p_corrected=living.corrected,
            level=living.level,
            effect=living.shown,
            by_signs=one_dominates(parts.living),
            most=living.shown & _at_most(self.signs(parts.living), self.alpha),
            p_equivalence=same.p,
            p_equivalence_corrected=same.corrected,
            equivalent=same.shown,
            refused=living.n_pairs < 2,
            p_collapse=collapse[..., -1],
            p_collapse_corrected=np.minimum(1.0, collapse[..., -1] / limit * self.alpha),
            collapse=shown,
            decided_at=np.full(shown.shape, parts.living.shape[-1]),
            turned=np.zeros(shown.shape, dtype=bool),
        )
        if living.running.shape[-1] < 2:
            return found
        first = np.where(living.shown, living.first(), same.first())
        return self.held_against_the_last_look(found, first, _first(collapse, np.where(shown, limit, 0.0)))

    def schedule(self, n_seeds: int) -> tuple[tuple[int, float], ...]:
        return ((n_seeds, 1.0),) if self.looks is None else self.looks.schedule(n_seeds)

    def running(self, differences: Floats, alternative: Alternative) -> Floats:
        """(..., contrasts, looks) p-values of the test that decides, the smallest so far at each look."""
        if self.looks is None or differences.shape[-1] == 0:
            return deciding_p(differences, alternative)[..., None]
        p = sequential_p(differences, self.looks, self.alpha, alternative, family=differences.shape[-2])
        for i in self.grouped:
            once = deciding_p(differences[..., i, :], alternative)
            p[..., i, :] = np.minimum(1.0, self.looks.number * once)[..., None]
        return p

    def living(self, differences: Floats, cost: Floats) -> _Tests:
        """Whether the sides differ where both work, if so much of each level is spent on how often they do."""
        running, n_pairs = self.running(differences, "two-sided"), np.isfinite(differences).sum(axis=-1)
        least = 2.0 ** (1.0 - (np.abs(differences) > 0).sum(axis=-1))
        p = np.where(n_pairs < 2, np.nan, running[..., -1])
        corrected, level = step_down(p, cost, least, self.alpha)
        return _Tests(running, n_pairs, corrected, level, _at_most(corrected, self.alpha))

    def equivalence(self, differences: Floats) -> _Tests:
        """Whether they are shown not to, beyond the margin; nan everywhere without one."""
        n_pairs = np.isfinite(differences).sum(axis=-1)
        if self.margin is None:
            nothing = np.full((*n_pairs.shape, len(self.schedule(differences.shape[-1])) or 1), np.nan)
            return _Tests(nothing, n_pairs, nothing[..., -1], nothing[..., -1], np.zeros(n_pairs.shape, dtype=bool))
        above = self.running(differences + self.margin, "greater")
        running = np.maximum(above, self.running(self.margin - differences, "greater"))
        p = np.where(n_pairs < 2, np.nan, running[..., -1])
        corrected, level = step_down(p, np.zeros(p.shape), 2.0**-n_pairs, self.alpha)
        shown = _at_most(corrected, self.alpha) & _holds_if_skewed(differences, self.margin, level)
        return _Tests(running, n_pairs, corrected, level, shown)

    def signs(self, differences: Floats) -> Floats:
        """(..., contrasts) corrected p of the sign test over all looks."""
        if self.looks is None or differences.shape[-1] == 0:
            p = sign_test_p(differences)
        else:
            p = self.running(np.sign(differences), "two-sided")[..., -1]
        return holm(np.where(np.isfinite(differences).sum(axis=-1) < 2, np.nan, p))

    def collapse(self, parts: PairedParts) -> tuple[Floats, Floats]:
        """(..., contrasts, looks) smallest p so far of the collapse tests; (..., contrasts) what they can spend."""
        n_contrasts = parts.shares.shape[-2]
        level, before = collapse_level(n_contrasts, self.alpha), 0.0
        columns, p, cost = [], np.ones(parts.shares.shape[:-1]), np.zeros(parts.shares.shape[:-1])
        schedule = self.schedule(parts.shares.shape[-1])
        for n_seeds, share in schedule:
            weight, before = share - before, share
            for i in range(n_contrasts):
                alone = i in self.grouped
                paid = weight
                if alone:  # its units grow between looks: the last one is paid for as if it were each
                    last = n_seeds == schedule[-1][0]
                    paid = (1.0 if self.looks is None else 1.0 / self.looks.number) if last else 0.0
                if paid <= 0:
                    continue
                once, spent = collapse_of(
                    parts.shares[..., i, :n_seeds], level * paid, two_arms=bool(parts.two_arms[i]) and not alone
                )
                p[..., i] = np.minimum(p[..., i], once / paid)
                cost[..., i] += spent
            columns.append(p.copy())
        return np.stack(columns, axis=-1) if columns else p[..., None], np.minimum(cost, level)

    def held_against_the_last_look(self, found: Decisions, first: Ints, of_collapse: Ints) -> Decisions:
        """Give the estimate of the look that decided, and take back what the data of the last look contradict.

        Args:
            found: as of the last look.
            first: index of the first look that showed what is shown where both work.
            of_collapse: the same of how often they work.
        """
        looks = np.array([n for n, _ in self.schedule(found.parts.living.shape[-1])])
        living, shares = found.parts.living, found.parts.shares
        there = (first < len(looks)) & (found.effect | found.equivalent)
        seeds = np.where(there, looks[np.minimum(first, len(looks) - 1)], looks[-1])
        estimate = _mean(living, seeds)
        against = estimate * _mean(living, None) < 0
        against |= _mean(np.sign(living), seeds) * _mean(np.sign(living), None) < 0
        outside = np.abs(_mean(living, None)) > (np.inf if self.margin is None else self.margin)
        turned = (found.effect & against) | (found.equivalent & ~found.effect & outside)
        then = looks[np.minimum(of_collapse, len(looks) - 1)]
        less = found.collapse & (_mean(shares, then) * _mean(shares, None) < 0)
        return replace(
            found,
            effect=found.effect & ~turned,
            most=found.most & ~turned,
            equivalent=found.equivalent & ~turned & ~outside,
            collapse=found.collapse & ~less,
            estimate=np.where(turned, _mean(living, None), estimate),
            decided_at=np.where(turned, looks[-1], seeds),
            turned=turned | less,
        )


def _holds_if_skewed(differences: Floats, margin: float, level: Floats) -> Bools:
    """Whether differences are not visibly skewed, or within the margin by the sign test too."""
    above, below = (sign_test_p(one, "greater") for one in (differences + margin, margin - differences))
    return ~visibly_skewed(differences) | (np.maximum(above, below) <= level * (1 + _SLACK))


def _first(running: Floats, level: Floats) -> Ints:
    """Index of the first look at which p is at most the level; the number of looks where none is."""
    below = running <= (level * (1 + _SLACK))[..., None]
    below &= (level > 0)[..., None]
    found: Ints = np.where(below.any(axis=-1), below.argmax(axis=-1), running.shape[-1])
    return found


def _parts(
    values: ArrayLike,
    works: ArrayLike | None,
    contrasts: Sequence[Cells],
    looks: Looks | None,
    sharings: Sequence[Sharing] | None,
) -> PairedParts:
    parts = paired_parts(values, works, contrasts)
    if looks is not None:
        schedule = looks.schedule(parts.living.shape[-1])
        last = schedule[-1][0] if schedule else 0
        parts = replace(parts, living=parts.living[..., :last], shares=parts.shares[..., :last])
    for i, sharing in enumerate(sharings or ()):
        if sharing.grouped:
            for rows in (parts.living, parts.shares):
                rows[..., i, :] = by_unit(rows[..., i, :], sharing.units)
    return parts


def _mean(rows: Floats, seeds: Ints | None) -> Floats:
    """(...) mean of what is there among the first `seeds` (...) entries; nan of nothing."""
    there = np.isfinite(rows)
    if seeds is not None:
        there &= np.arange(rows.shape[-1]) < seeds[..., None]
    count = there.sum(axis=-1)
    mean: Floats = np.where(there, rows, 0.0).sum(axis=-1) / np.where(count > 0, count, np.nan)
    return mean


def _at_most(p: Floats, alpha: float) -> Bools:
    return np.where(np.isnan(p), 1.0, p) <= alpha * (1.0 + _SLACK)
