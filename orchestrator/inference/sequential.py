"""Looks at growing data: sign-flip p-values that stay valid however often, at fixed numbers of seeds, one looks.

The level is spent in proportion to the seeds seen (Lan and DeMets 1983, Biometrika 70, with the linear spending
function): by a look at n of N planned seeds, at most a share n / N of it.  The critical value of each look is
taken from the joint distribution of the statistics of *all* looks under the same sign vectors, so it accounts for
how much two looks have in common and pays for an earlier look exactly what that look could have rejected.  A look
that nobody planned is one more look and is paid for alike; after the last planned look only what earlier looks
left unused remains.  Validity needs looks at numbers of seeds that do not depend on the results.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from orchestrator.errors import RequestError
from orchestrator.inference.paired_tests import deciding_interval_ends, deciding_p
from orchestrator.inference.sign_flip import TIE, Alternative, flip_group, one_dominates

__all__ = ["Looks", "first_plan", "is_futile", "sequential_interval_ends", "sequential_p"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

RANK = 13
"""Sign vectors: 2^13, a group; all of them (up to the global sign) to 14 pairs."""
_ROWS = 128
_BISECTIONS = 28


@dataclass(frozen=True)
class Looks:
    """Numbers of seeds at which a study is looked at: as planned, and as it happened.

    Attributes:
        planned: growing numbers of seeds, fixed before the run; one number for a study with fixed seeds.
        taken: the looks that were taken, planned or not; empty means those planned, as far as the seeds go.
    """

    planned: tuple[int, ...]
    taken: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, looks in (("planned", self.planned), ("taken", self.taken)):
            if list(looks) != sorted(set(looks)) or any(n < 1 for n in looks):
                raise RequestError(f"looks {name} {looks}: must be growing positive numbers of seeds")
        if not self.planned:
            raise RequestError("looks planned (): a study needs at least one look")

    def schedule(self, n_seeds: int) -> tuple[tuple[int, float], ...]:
        """Return (seeds, cumulative share of the level that may be spent) of each look up to `n_seeds` seeds.

        Without any look up to there, the data at hand are a look of their own.
        """
        looks = [n for n in (self.taken or self.planned) if n <= n_seeds]
        if n_seeds and not looks:
            looks = [n_seeds]
        return tuple((n, self.share(n)) for n in looks)

    def share(self, n_seeds: int) -> float:
        """Return the share of the level that a look at `n_seeds` seeds may have spent, with all looks before it."""
        return min(1.0, n_seeds / self.planned[-1])

    def unspent(self, level: float) -> float:
        """Return the share of a level that the last planned look leaves: what later looks may still spend.

        The test is discrete: a level pays for a whole number of sign vectors, and the rest of it stays.
        """
        flips = 2.0 ** min(self.planned[-1] - 1, RANK)
        return 1.0 - math.floor(level * flips + 1e-9) / (level * flips)

    @property
    def number(self) -> int:
        """How many looks there are at most, planned or taken: what a test pays that cannot follow growing data."""
        return len({*self.planned, *self.taken})

    def saving(self, n_seeds: int) -> float:
        """Return the share of the planned seeds that stopping at `n_seeds` seeds saved."""
        return max(0.0, 1.0 - n_seeds / self.planned[-1])


def first_plan(seeds: Mapping[str, Any], taken: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """Return the numbers of seeds at which a study was to be looked at when it first ran; empty if nothing says so.

    Records from before the first plan was kept (they have no `file`) name the latest one. The looks that were planned
    when they were taken then say what the first one was.

    Args:
        seeds: of the record of a study (`planned`, `looks`, `file`).
        taken: its looks (`n_seeds`, `planned`).
    """
    planned = [int(n) for n in seeds.get("planned") or seeds.get("looks") or ()]
    by_plan = sorted({int(look["n_seeds"]) for look in taken if look.get("planned", True)})
    if "file" not in seeds and any(n not in planned for n in by_plan):
        planned = by_plan
    return tuple(planned)


def sequential_p(
    differences: ArrayLike,
    looks: Looks,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
    family: int = 16,
) -> Floats:
    """Sequentially valid sign-flip p-values: the chance that any of them is ever <= a is at most a, for a <= alpha.

    Compare them with alpha after Holm, like any p.  A p below alpha is rounded up to a grid of levels that holds
    alpha / 1 ... alpha / family, where Holm looks, so nothing is lost; a p above alpha is a description.

    Args:
        differences: (..., n) paired differences in the order in which seeds were added; nan is a missing pair.  A
            look that added no pair to a row is not taken for that row (its contrast was decided before).
        looks: when one looked.
        alpha: the largest level at which the study ever rejects.
        alternative: as in `sign_flip_p`.
        family: contrasts that Holm will correct over.

    Returns:
        (..., number of looks) running p-values.
    """
    array = np.asarray(differences, dtype=np.float64)
    schedule = looks.schedule(array.shape[-1])
    if len(schedule) == 1 and schedule[0][1] == 1.0:
        return deciding_p(array[..., : schedule[0][0]], alternative)[..., None]
    rows = array.reshape(math.prod(array.shape[:-1]), array.shape[-1])
    p = np.ones((len(rows), len(schedule)))
    for start in range(0, len(rows), _ROWS):
        chunk = rows[start : start + _ROWS]
        p[start : start + _ROWS] = _Path(chunk, schedule, _levels(alpha, family), alternative).p_values()
    return p.reshape(*array.shape[:-1], len(schedule))


def sequential_interval_ends(differences: Floats, looks: Looks, alpha: float) -> tuple[Floats, Floats, Floats]:
    """Repeated confidence interval at the last look: the centres that this look does not reject at level alpha.

    Covers with at least 1 - alpha at every look at once (Jennison and Turnbull 1989, JRSS B 51), since the looks
    together reject the true centre with probability at most alpha.

    Args:
        differences: (rows, n) as in `sequential_p`.
        looks: when one looked.
        alpha: 1 - confidence.

    Returns:
        Lower ends, upper ends, attained confidence, as `interval_ends`.
    """
    schedule = looks.schedule(differences.shape[-1])
    if len(schedule) == 1 and schedule[0][1] == 1.0:
        return deciding_interval_ends(differences[:, : schedule[0][0]], 1.0 - alpha)
    seen = differences[:, : schedule[-1][0]] if schedule else differences[:, :0]
    filled = np.isfinite(seen).sum(axis=1) > 0
    low, high = np.full(len(seen), -np.inf), np.full(len(seen), np.inf)
    for start in range(0, len(seen), _ROWS):
        part = start + np.flatnonzero(filled[start : start + _ROWS])
        if len(part):
            low[part] = _lower_end(seen[part], schedule, alpha)
            high[part] = -_lower_end(-seen[part], schedule, alpha)
    return low, high, np.where(np.isfinite(low), 1.0 - alpha, np.nan)


def is_futile(
    differences: ArrayLike, n_final: int, alpha: float, margin: float | None = None, chance: float = 0.1
) -> bool:
    """Whether neither an effect nor (with a margin) equivalence is likely at the last planned look.

    Conditional power (Lan, Simon and Halperin 1982) by the normal approximation, on the hopeful side: further
    differences are centred one standard error beyond the present mean, away from zero to find an effect, towards
    it to find equivalence.  Stopping for futility never adds false claims; it may cost power.

    Args:
        differences: (n,) so far; nan is a missing pair.
        n_final: pairs at the last planned look.
        alpha: level that the contrast must reach (after Holm: alpha / contrasts).
        margin: equivalence margin, if one was stated.
        chance: futile if both probabilities lie below this.
    """
    array = np.asarray(differences, dtype=np.float64)
    values = array[np.isfinite(array)]
    n, rest = len(values), n_final - int(np.isfinite(array).sum())
    if n < 2 or rest <= 0:
        return rest <= 0
    mean, sd = abs(float(values.mean())), float(values.std(ddof=1))
    if sd == 0.0:
        return False
    from scipy import special  # slow to import

    error = sd / math.sqrt(n)
    spread = sd * math.sqrt(rest) / n_final

    def beyond(threshold: float, centre: float) -> float:
        return float(special.ndtr(-(threshold - (n * mean + rest * centre) / n_final) / spread))

    reach = sd / math.sqrt(n_final)
    effect = beyond(float(special.stdtrit(n_final - 1, 1.0 - alpha / 2.0)) * reach, mean + error)
    if margin is None:
        return effect < chance
    bound = margin - float(special.stdtrit(n_final - 1, 1.0 - alpha)) * reach
    centre = max(0.0, mean - error)
    same = beyond(-bound, centre) - beyond(bound, centre) if bound > 0 else 0.0
    return max(effect, same) < chance


def _levels(alpha: float, family: int) -> Floats:
    """Levels at which rejection is worked out: where Holm looks, and a grid between."""
    grid = np.geomspace(2.0 ** -(RANK + 1), alpha, 24)[:-1]
    return np.unique(np.concatenate([alpha / np.arange(1, family + 1), grid]))


class _Path:
    """The looks at a chunk of rows, one after another, under one group of sign vectors.

    `first` is, per row and sign vector, the index of the smallest level at which that vector (had it been the
    observed one) has been rejected so far; element 0 of the group is what was observed.
    """

    def __init__(
        self,
        rows: Floats,
        schedule: Sequence[tuple[int, float]],
        levels: Floats,
        alternative: Alternative,
        signs_only: Bools | None = None,
    ) -> None:
        self.rows, self.schedule, self.levels = np.where(np.isfinite(rows), rows, 0.0), schedule, levels
        self.there = np.isfinite(rows)
        self.signs_only = _signs_only(rows, schedule) if signs_only is None else signs_only
        self.two_sided = alternative == "two-sided"
        last = schedule[-1][0] if schedule else 0
        self.group = flip_group(last, RANK, fix_first=self.two_sided)
        self.first = np.full((len(rows), len(self.group)), len(levels), dtype=np.int16)
        self.p = np.ones(len(rows))

    def p_values(self) -> Floats:
        """(rows, looks) running p-values."""
        columns = []
        before = 0
        for look, (n, share) in enumerate(self.schedule):
            reached = np.flatnonzero(self.there[:, before:n].any(axis=1))
            if len(reached):
                self._look(reached, look, n, share)
            columns.append(self.p.copy())
            before = n
        return np.stack(columns, axis=1) if columns else np.ones((len(self.rows), 0))

    def rejected_at_last(self) -> Bools:
        """Whether the last look alone rejects at the largest level."""
        out = np.zeros(len(self.rows), dtype=bool)
        before = 0
        for look, (n, share) in enumerate(self.schedule):
            reached = np.flatnonzero(self.there[:, before:n].any(axis=1))
            if len(reached):
                statistic, slack, critical = self._look(reached, look, n, share)
                out[reached] = statistic[:, 0] > critical[:, -1] + slack
            before = n
        return out

    def _look(self, rows: Ints, look: int, n: int, share: float) -> tuple[Floats, Floats, Floats]:
        seen = self.rows[rows, :n]
        seen = np.where(self.signs_only[rows, look, None], np.sign(seen), seen)
        statistic = seen @ self.group[:, :n].T
        statistic = np.abs(statistic) if self.two_sided else statistic
        slack = TIE * np.abs(seen).sum(axis=1)
        gone = self.first[rows]
        critical, top = self._critical(statistic, gone, share)
        highest = np.take_along_axis(statistic, top, axis=1)
        fresh = np.zeros(top.shape, dtype=np.int16)
        for level in range(len(self.levels)):
            fresh += highest <= (critical[:, level] + slack)[:, None]
        np.put_along_axis(gone, top, np.minimum(np.take_along_axis(gone, top, axis=1), fresh), axis=1)
        self.first[rows] = gone
        found = gone[:, 0] < len(self.levels)
        now = np.empty(len(rows))
        now[found] = self.levels[gone[found, 0]]
        # not rejected: earlier rejections at the largest level, and what lies at least as far out as the observed
        out = ~found
        beyond = (gone[out] < len(self.levels)) | (statistic[out] >= (statistic[out, 0] - slack[out])[:, None])
        now[out] = np.maximum(beyond.mean(axis=1) / share, np.nextafter(self.levels[-1], 1.0))
        self.p[rows] = np.minimum(self.p[rows], now)
        return statistic, slack, critical

    def _critical(self, statistic: Floats, gone: NDArray[np.int16], share: float) -> tuple[Floats, Ints]:
        """Critical value per row and level (reject above it), and the sign vectors that can lie above any."""
        size = len(self.group)
        budget = np.floor(share * self.levels * size + 1e-9).astype(np.int64)
        width = min(int(budget[-1]) + 1, size)
        top = np.argpartition(-statistic, width - 1, axis=1)[:, :width]
        order = np.argsort(-np.take_along_axis(statistic, top, axis=1), axis=1)
        top = np.take_along_axis(top, order, axis=1)
        sorted_statistic = np.take_along_axis(statistic, top, axis=1)
        sorted_gone = np.take_along_axis(gone, top, axis=1)
        n_rows, n_levels = len(statistic), len(self.levels)
        row, vector = np.nonzero(gone < n_levels)
        tally = np.bincount(row * n_levels + gone[row, vector], minlength=n_rows * n_levels)
        room = budget - np.cumsum(tally.reshape(n_rows, n_levels), axis=1)
        critical = np.empty((n_rows, n_levels))
        for level in range(n_levels):
            alive = np.cumsum(sorted_gone > level, axis=1)
            at = np.argmax(alive > room[:, level, None], axis=1)
            critical[:, level] = sorted_statistic[np.arange(n_rows), at]
        # rejected at a level means rejected at every larger one up to alpha: p-values then nest
        return np.maximum.accumulate(critical[:, ::-1], axis=1)[:, ::-1], top


def _signs_only(rows: Floats, schedule: Sequence[tuple[int, float]]) -> Bools:
    """(rows, looks) where a look counts signs alone, since one difference dominates what it sees."""
    return (
        np.stack([one_dominates(rows[:, :n]) for n, _ in schedule], axis=1)
        if schedule
        else np.zeros((len(rows), 0), bool)
    )


def _lower_end(rows: Floats, schedule: Sequence[tuple[int, float]], alpha: float) -> Floats:
    levels, signs_only = np.array([alpha]), _signs_only(rows, schedule)

    def rejected(theta: Floats) -> Bools:
        return _Path(rows - theta[:, None], schedule, levels, "two-sided", signs_only).rejected_at_last()

    inside = np.where(signs_only[:, -1], np.nanmedian(rows, axis=1), np.nanmean(rows, axis=1))  # never rejected
    low, high = np.nanmin(rows, axis=1), inside
    low = low - 1e-6 * (high - low) - 1e-12
    reachable = rejected(low)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        out = rejected(middle)
        low, high = np.where(out, middle, low), np.where(out, high, middle)
    return np.where(reachable, low, -np.inf)
