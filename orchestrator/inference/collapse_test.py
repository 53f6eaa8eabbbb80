"""How often an arm works: an exact test of paired outcomes, what it can and cannot show, and what 0 of n allows.

The unit is the seed (or the draw that seeds share). A seed on which exactly one side of a contrast works is
*discordant*; if both work equally often, either side is as likely to be the one that does. Given the number of
discordant seeds that is a sign test, and nothing can be shown by fewer than 1 + log2(1 / level) of them. Averaged over
how many there might have been (the worst case over their unknown share; Boschloo 1970 for two groups, Suissa and
Shuster 1991 for pairs) the same outcomes are rarer, and one seed fewer is enough. Seeds are taken as independent draws.

The test costs the level that it can spend, and only where its discordant seeds come within one of speaking:
`orchestrator.inference.decisions` takes that from the other part of the contrast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from orchestrator.inference.sign_flip import sign_flip_p

__all__ = [
    "PairedOutcomes",
    "collapse_of",
    "critical",
    "detectable_rate",
    "paired_collapse_p",
    "unlikely_to_show",
    "upper_bound",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST_UNANIMOUS = 40
"""Unanimous discordant seeds for which p-values are worked out; 2^-39 is below any level."""
_SHARES = np.concatenate([np.geomspace(1e-4, 0.01, 20, endpoint=False), np.linspace(0.01, 1.0, 200)])
"""Shares of discordant seeds over which the worst case is taken; the last one is all of them."""


@dataclass(frozen=True)
class PairedOutcomes:
    """Rejection region of the test at a level with n seeds.

    Attributes:
        level: largest conditional p-value that is rejected.
        needed: fewest discordant seeds that can show anything.
        cost: chance of a rejection, at most, given at least `needed` - 1 discordant seeds.
    """

    level: float
    needed: int
    cost: float


def paired_collapse_p(first: ArrayLike, second: ArrayLike, n_seeds: ArrayLike) -> Floats:
    """Two-sided exact p that two sides work equally often.

    Args:
        first: (...) seeds on which only the first side does not work.
        second: (...) seeds on which only the second does not.
        n_seeds: (...) seeds on which both have an outcome.

    Returns:
        (...) p-values; 1 without discordant seeds.
    """
    b, c, n = np.broadcast_arrays(*(np.asarray(one, dtype=np.int64) for one in (first, second, n_seeds)))
    found = np.ones(b.shape)
    some = (b + c) > 0
    keys, place = np.unique(np.stack([b[some], c[some], n[some]], axis=-1), axis=0, return_inverse=True)
    if len(keys):
        found[some] = np.array([_p(*map(int, key)) for key in keys])[place.reshape(-1)]
    return found


def collapse_of(shares: Floats, level: float, *, two_arms: bool) -> tuple[Floats, Floats]:
    """Test one contrast at a level.

    Args:
        shares: (..., n) share of the first side that does not work, less that of the second, a seed or unit; nan: not
            known.
        level: of the test.
        two_arms: whether the shares are -1, 0 or 1; else (pooled arms, seeds on one draw) their signs are flipped.

    Returns:
        (...) p-values, and what of the level the test can spend on these seeds: nothing where it cannot come to speak.
    """
    discordant = (np.abs(shares) > 0).sum(axis=-1)
    if not two_arms:
        able = 2.0 ** (1.0 - discordant) <= level
        return np.where(discordant > 0, sign_flip_p(shares), 1.0), np.where(able, level, 0.0)
    n_seeds = np.isfinite(shares).sum(axis=-1)
    cost = np.zeros(discordant.shape)
    for n in np.unique(n_seeds[n_seeds > 0]):
        outcomes = critical(int(n), level)
        cost = np.where((n_seeds == n) & (discordant >= outcomes.needed - 1), outcomes.cost, cost)
    return paired_collapse_p((shares > 0).sum(axis=-1), (shares < 0).sum(axis=-1), n_seeds), cost


@lru_cache(maxsize=4096)
def critical(n_seeds: int, level: float) -> PairedOutcomes:
    """Return what the test at a level can show with so many seeds."""
    best = PairedOutcomes(level, *_size(n_seeds, level))
    while best.needed > 1:
        sharper = 2.0 ** (2 - best.needed)  # the p of one unanimous seed fewer
        needed, cost = _size(n_seeds, sharper)
        if cost > level:
            break
        best = PairedOutcomes(sharper, needed, cost)
    return best


def detectable_rate(n_seeds: int, needed: int, power: float) -> float:
    """Return the rate at which at least `needed` of n seeds collapse with this probability; inf: n is too small."""
    if needed > n_seeds:
        return math.inf
    k = np.arange(needed, n_seeds + 1)
    ways = np.exp(_log_ways(np.full(k.shape, n_seeds), k))
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        enough = float((ways * middle**k * (1.0 - middle) ** (n_seeds - k)).sum()) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high


def upper_bound(events: int, n_seeds: int, confidence: float = 0.95) -> float:
    """Return the largest rate that so many events still allow (one-sided, Clopper and Pearson 1934): 0 of 12, 22 %."""
    if n_seeds == 0 or events >= n_seeds:
        return 1.0
    from scipy import special  # slow to import

    return float(special.betaincinv(events + 1, n_seeds - events, confidence))


def unlikely_to_show(alone: tuple[int, int], n_seeds: int, n_final: int, level: float, chance: float = 0.1) -> bool:
    """Whether the test is unlikely to show anything at the last planned look.

    Predictive probability under Jeffreys' prior on the three outcomes of a seed (only the first side does not work,
    only the second, neither or both).

    Args:
        alone: discordant seeds so far, by the side that does not work.
        n_seeds: seeds so far.
        n_final: seeds at the last planned look.
        level: level of the test there.
        chance: unlikely if the probability lies below this.
    """
    rest = n_final - n_seeds
    if rest <= 0:
        return True
    from scipy import special

    more = np.arange(rest + 1)
    first, second = (one.ravel() for one in np.meshgrid(more, more, indexing="ij"))
    possible = first + second <= rest
    first, second = first[possible], second[possible]
    counts = np.stack([first, second, rest - first - second])
    prior = np.array([alone[0], alone[1], n_seeds - sum(alone)])[:, None] + 0.5
    log = special.gammaln(prior + counts) - special.gammaln(prior) - special.gammaln(counts + 1)
    log = log.sum(axis=0) + special.gammaln(rest + 1)
    log += special.gammaln(prior.sum()) - special.gammaln(prior.sum() + rest)
    shown = paired_collapse_p(alone[0] + first, alone[1] + second, n_final) <= level
    return float(np.exp(log)[shown].sum()) < chance


def _conditional(first: int, second: int) -> float:
    return min(1.0, 2.0 * float(_fair_coins(first + second)[first + second, min(first, second)]))


@lru_cache(maxsize=65536)
def _p(first: int, second: int, n_seeds: int) -> float:
    """The conditional p, or that of the largest region of unanimous outcomes that holds this one."""
    given = _conditional(first, second)
    unanimous = _unanimous(n_seeds)
    reached = np.flatnonzero(2.0 ** -np.arange(len(unanimous), dtype=float) >= given * (1 - 1e-12))
    return float(min(given, unanimous[reached].min(initial=1.0)))


@lru_cache(maxsize=1024)
def _unanimous(n_seeds: int) -> Floats:
    """(k,) worst-case p of 1, 2, ... unanimous discordant seeds among n, falling."""
    most = min(n_seeds, _MOST_UNANIMOUS)
    return np.minimum.accumulate([_size(n_seeds, 2.0 ** (1 - k))[1] for k in range(1, most + 1)])


def _size(n_seeds: int, level: float) -> tuple[int, float]:
    """Return the discordant seeds needed, and the chance of a conditional p <= level given one fewer or more."""
    needed = max(1, 1 + math.ceil(-math.log2(level) - 1e-9))
    if needed > n_seeds:
        return needed, 0.0
    discordant = np.arange(n_seeds + 1)
    rejected = 2.0 * _tail(n_seeds, level)
    chance = _shares_pmf(n_seeds)
    able = discordant >= needed - 1
    return needed, float(((chance * rejected).sum(axis=1) / chance[:, able].sum(axis=1)).max())


def _tail(n_seeds: int, level: float) -> Floats:
    """(0..n,) chance of one tail: the largest binomial tail of d fair coins that is at most level / 2."""
    tails = _fair_coins(n_seeds)
    admitted: Floats = np.where(tails <= 0.5 * level * (1 + 1e-9), tails, 0.0).max(axis=1)
    return np.minimum(admitted, 0.5)


@lru_cache(maxsize=16)
def _fair_coins(n_seeds: int) -> Floats:
    """(0..n, 0..n) chance of at most k heads of d fair coins, nan beyond k = d (plans need no scipy for that)."""
    d, k = np.arange(n_seeds + 1)[:, None], np.arange(n_seeds + 1)[None]
    logarithm = _log_ways(d, np.minimum(k, d)) - d * math.log(2.0)
    tails = np.cumsum(np.where(k <= d, np.exp(logarithm), 0.0), axis=1)
    found: Floats = np.where(k <= d, tails, np.nan)
    found.flags.writeable = False
    return found


@lru_cache(maxsize=64)
def _shares_pmf(n_seeds: int) -> Floats:
    """(shares, 0..n) chance of each number of discordant seeds."""
    d, share = np.arange(n_seeds + 1)[None], _SHARES[:, None]
    inside = _log_ways(np.full(d.shape, n_seeds), d) + d * np.log(share)
    with np.errstate(divide="ignore", invalid="ignore"):
        chance: Floats = np.exp(inside + np.where(d < n_seeds, (n_seeds - d) * np.log1p(-share), 0.0))
    return chance


def _log_ways(n: Ints, k: Ints) -> Floats:
    """Logarithm of n over k, elementwise."""
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, int(n.max()) + 1)))])
    ways: Floats = factorials[n] - factorials[k] - factorials[n - k]
    return ways
