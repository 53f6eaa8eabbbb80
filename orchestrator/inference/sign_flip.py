"""The sign-flip permutation test of paired differences and the interval that is its inversion.

Under the null hypothesis that two arms are exchangeable given the seed, each paired difference is as likely as
its negative; so is every vector of signs.  The p-value is the share of sign vectors whose sum is at least as
extreme as the observed one: exact in small samples, whatever the distribution, but never below 2^(1-n).

Other tests live in `orchestrator.inference.paired_tests`, looks at growing data in `orchestrator.inference.sequential`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from orchestrator.errors import RequestError

__all__ = [
    "DOMINATES",
    "EXACT_UP_TO",
    "Alternative",
    "Interval",
    "flip_group",
    "group_rank",
    "one_dominates",
    "sign_flip_interval",
    "sign_flip_p",
]

Floats = NDArray[np.float64]
Alternative = Literal["two-sided", "greater"]

EXACT_UP_TO = 20
"""Pairs up to which all 2^n sign vectors are counted; beyond, 2^16 (2^13 from 512 pairs on) that form a group."""
TIE = 1e-10
"""Sums closer than this share of the sum of absolute differences are ties: rounding must not decide."""
DOMINATES = 6.0
"""A difference more than this many times the mean of the others decides a sum alone: then only signs are counted. Of
normal differences one sample in 100 has one at n = 10, one in 300 at n = 20, fewer where they are not centred at 0."""
_ELEMENTS = 1 << 22
"""Array elements held at once per temporary array (32 MB)."""
_BISECTIONS = 32
_GROUP_SEED = 20_240_229


@dataclass(frozen=True)
class Interval:
    """A confidence interval; infinite ends where so few pairs cannot give the confidence asked for."""

    low: float
    high: float
    confidence: float
    """Confidence asked for."""
    attainable: bool
    """False: the test has no level that small at this number of pairs."""
    attained: float = math.nan
    """Confidence that the interval has (the test is discrete): at least the one asked for; nan if none."""

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def sign_flip_p(differences: ArrayLike, alternative: Alternative = "two-sided") -> Floats:
    """P-value of the sign-flip test that the differences are symmetric about zero.

    Exact up to `EXACT_UP_TO` pairs (all sign vectors, counted by sorting the sums of two halves: 2^(n/2)
    numbers instead of 2^n).  Beyond, the share over a fixed random *subgroup* of sign vectors: a group keeps
    the test exactly valid although it samples (Hemerik and Goeman 2018, TEST 27, theorem 1).

    Args:
        differences: (..., n) paired differences, one per seed; nan is a missing pair and is left out.
        alternative: "two-sided", or "greater" (the differences are centred above zero).

    Returns:
        (...) p-values; 1 where no pair is left.
    """
    array = np.asarray(differences, dtype=np.float64)
    rows = array.reshape(math.prod(array.shape[:-1]), array.shape[-1])
    counts = np.isfinite(rows).sum(axis=1)
    p = np.ones(len(rows))
    for exact in (True, False):
        chosen = np.flatnonzero((counts > 0) & ((counts <= EXACT_UP_TO) == exact))
        if len(chosen):
            packed = _packed(rows[chosen], int(counts[chosen].max()))
            p[chosen] = _exact_p(packed, alternative) if exact else _group_p(packed, alternative)
    return p.reshape(array.shape[:-1])


def one_dominates(differences: ArrayLike) -> NDArray[np.bool_]:
    """Whether one absolute difference is more than `DOMINATES` times the mean of the others.

    No flip of signs changes the answer, so a test that is switched by it keeps its exactness under flips.

    Args:
        differences: (..., n) paired differences; nan is left out.
    """
    sizes = np.abs(np.asarray(differences, dtype=np.float64))
    there = np.isfinite(sizes)
    sizes = np.where(there, sizes, 0.0)
    largest, others = sizes.max(axis=-1, initial=0.0), there.sum(axis=-1) - 1
    dominates: NDArray[np.bool_] = (others > 0) & (largest * others > DOMINATES * (sizes.sum(axis=-1) - largest))
    return dominates


def sign_flip_interval(differences: ArrayLike, confidence: float = 0.95) -> Interval:
    """The centres that the two-sided sign-flip test does not reject: its own confidence interval.

    The test of centre theta < mean rejects unless enough nonempty subsets of pairs have a mean below theta, so
    the lower end is the k-th smallest subset mean, k = floor(level * 2^(n-1)) (Hartigan 1969, JASA 64), found by
    bisection on the exact count; likewise above.  With 6 pairs at 95 % it is [min, max], attained 96.9 %.

    Args:
        differences: (n,) paired differences; nan is a missing pair and is left out.
        confidence: the confidence asked for, in (0, 1).

    Raises:
        RequestError: confidence outside (0, 1).
    """
    if not 0.0 < confidence < 1.0:
        raise RequestError(f"confidence {confidence}: must lie between 0 and 1")
    array = np.asarray(differences, dtype=np.float64)
    low, high, attained = interval_ends(array[None, :], confidence)
    attainable = math.isfinite(low[0])
    return Interval(float(low[0]), float(high[0]), confidence, attainable, float(attained[0]))


def interval_ends(differences: Floats, confidence: float) -> tuple[Floats, Floats, Floats]:
    """`sign_flip_interval` of many rows.

    Args:
        differences: (rows, n), nan where a pair is missing.
        confidence: as there.

    Returns:
        Lower ends, upper ends and attained confidence, (rows,) each; -inf, inf and nan where not attainable.
    """
    counts = np.isfinite(differences).sum(axis=1)
    low, high = np.full(len(differences), -np.inf), np.full(len(differences), np.inf)
    attained = np.full(len(differences), np.nan)
    for n in np.unique(counts):
        # all flips modulo the global sign
        flips = 2 ** (int(n) - 1) if n <= EXACT_UP_TO else 2 ** group_rank(int(n))
        rank = math.floor((1.0 - confidence) * flips + 1e-9)
        chosen = np.flatnonzero(counts == n)
        if n < 1 or rank < 1:
            continue
        packed = _packed(differences[chosen], int(n))
        end = _exact_low if n <= EXACT_UP_TO else _group_low
        low[chosen], high[chosen] = end(packed, rank), -end(-packed, rank)
        attained[chosen] = 1.0 - rank / flips
    return low, high, attained


def group_rank(n: int) -> int:
    """Return the dimension of the group of sign vectors for more than `EXACT_UP_TO` pairs, bounded in memory."""
    return max(13, min(16, int(math.log2(_ELEMENTS / _width(n)))))


@lru_cache(maxsize=8)
def flip_group(n: int, rank: int, *, fix_first: bool) -> Floats:
    """A fixed group of sign vectors under elementwise product: (2^rank, n), the first row all +1.

    Bit vectors of a linear code: the first `rank` seeds flip independently (so the group is *all* sign vectors
    when n is small enough), later ones along random distinct code words; fixed by a constant seed.

    Args:
        n: pairs.
        rank: dimension of the code.
        fix_first: never flip the first pair: one of each pair s, -s, which is all a two-sided statistic needs.
    """
    free = n - 1 if fix_first else n
    words = [1 << bit for bit in range(min(free, rank))]
    if free > rank:
        random = np.random.default_rng(_GROUP_SEED)
        more = random.permutation(np.arange(1, 2**rank))
        words += [int(word) for word in more if word & (word - 1)][: free - rank]
    columns = np.array([0, *words] if fix_first else words, dtype=np.uint64)
    elements = np.arange(2 ** min(rank, max(free, 0)), dtype=np.uint64)
    parity = np.bitwise_count(elements[:, None] & columns[None, :]) & 1
    signs: Floats = 1.0 - 2.0 * parity
    signs.flags.writeable = False
    return signs


def _packed(rows: Floats, width: int) -> Floats:
    """The finite entries of each row moved to the front; rows shorter than `width` end in zeros.

    A zero difference is the same under both signs, so it changes no share of sign vectors.
    """
    missing = ~np.isfinite(rows)
    order = np.argsort(missing, axis=1, kind="stable")[:, :width]
    packed: Floats = np.take_along_axis(np.where(missing, 0.0, rows), order, axis=1)
    return packed


def _exact_p(rows: Floats, alternative: Alternative) -> Floats:
    total = rows.sum(axis=1)
    if alternative == "greater":
        share = _count_at_least(rows, total) / 2.0 ** rows.shape[1]
    else:
        share = 2.0 * _count_at_least(rows, np.abs(total)) / 2.0 ** rows.shape[1]
    p: Floats = np.minimum(1.0, share)
    return p


def _group_p(rows: Floats, alternative: Alternative) -> Floats:
    two_sided = alternative == "two-sided"
    group = _sampled_group(rows.shape[1], fix_first=two_sided)
    p = np.empty(len(rows))
    for start, stop in _chunks(len(rows), len(group)):
        sums = rows[start:stop] @ group.T
        sums = np.abs(sums) if two_sided else sums
        slack = TIE * np.abs(rows[start:stop]).sum(axis=1)
        p[start:stop] = (sums >= (sums[:, 0] - slack)[:, None]).mean(axis=1)
    return p


def _count_at_least(rows: Floats, threshold: Floats) -> Floats:
    """How many of the 2^n sign vectors s have s @ row >= threshold, up to ties: (rows,).

    Meet in the middle: of all sums of the left half and of the right half, merged in one sort, each left sum
    asks how many right sums lie below threshold - left.  Which half a key came from rides in its last bit (one ulp,
    far below the tie tolerance), so that plain sorting will do; the sum of the asking positions says the rest.
    """
    half = rows.shape[1] // 2
    counts = np.empty(len(rows))
    wanted = threshold - TIE * np.abs(rows).sum(axis=1) - np.finfo(np.float64).tiny  # tiny: rows of zeros
    n_left, n_right = 2**half, 2 ** (rows.shape[1] - half)
    positions = np.arange(n_left + n_right)
    for start, stop in _chunks(len(rows), n_left + n_right):
        left, right = _signed_sums(rows[start:stop, :half]), _signed_sums(rows[start:stop, half:])
        keys = np.concatenate([wanted[start:stop, None] - left, right], axis=1)
        bits = keys.view(np.int64)
        bits &= -2
        bits[:, :n_left] |= 1
        keys.sort(axis=1)
        below = (bits & 1) @ positions - n_left * (n_left - 1) // 2
        counts[start:stop] = n_left * n_right - below
    return counts


def _signed_sums(rows: Floats) -> Floats:
    """All 2^n signed sums of each row: (rows, 2^n)."""
    sums = np.zeros((len(rows), 1))
    for column in rows.T:
        sums = np.concatenate([sums + column[:, None], sums - column[:, None]], axis=1)
    return sums


def _exact_low(rows: Floats, rank: int) -> Floats:
    """The `rank`-th smallest mean over nonempty subsets of each row, by bisection on the exact count."""
    low, high = rows.min(axis=1), rows.mean(axis=1)

    def rejected(theta: Floats) -> NDArray[np.bool_]:
        shifted = rows - theta[:, None]
        return _count_at_least(shifted, shifted.sum(axis=1)) <= rank

    smallest = ~rejected(low)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        out = rejected(middle)
        low, high = np.where(out, middle, low), np.where(out, high, middle)
    ends: Floats = np.where(smallest, rows.min(axis=1), high)
    return ends


def _group_low(rows: Floats, rank: int) -> Floats:
    """As `_exact_low` for the group: an element s stands for s and -s, that is for a subset and its complement."""
    n = rows.shape[1]
    group = _sampled_group(n, fix_first=True)
    size = 0.5 * (n - group.sum(axis=1))
    low = np.empty(len(rows))
    for start, stop in _chunks(len(rows), 4 * len(group)):
        total = rows[start:stop].sum(axis=1, keepdims=True)
        sums = 0.5 * (total - rows[start:stop] @ group.T)
        # element 0 flips nothing: its empty subset has no mean, its complement is the whole
        means = np.concatenate([sums[:, 1:] / size[1:], (total - sums) / (n - size)], axis=1)
        low[start:stop] = np.partition(means, rank - 1, axis=1)[:, rank - 1]
    return low


def _sampled_group(n: int, *, fix_first: bool) -> Floats:
    """The group for more than `EXACT_UP_TO` pairs; one is kept for all n up to the next power of two.

    Leaving out columns maps the group onto a group, so the test stays exact.
    """
    return flip_group(_width(n), group_rank(n), fix_first=fix_first)[:, :n]


def _width(n: int) -> int:
    return 1 << max(5, (n - 1).bit_length())


def _chunks(rows: int, width: int) -> list[tuple[int, int]]:
    step = max(1, _ELEMENTS // width)
    return [(start, min(start + step, rows)) for start in range(0, rows, step)]
