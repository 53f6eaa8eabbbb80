"""What a design can detect before it runs: reachability of alpha, smallest detectable difference, seeds it takes.

All for the sign-flip test of one contrast at the first step of Holm over the study's contrasts (level alpha / m, the
level that is guaranteed), given the spread of the paired differences, taken as normal.  Where the level admits only
a few sign vectors the power is simulated with the test itself; elsewhere it is that of the t-test at the level the
sign-flip test attains, which agrees with simulation within 5 points.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from orchestrator.errors import RequestError
from orchestrator.inference.collapse_test import critical, detectable_rate
from orchestrator.inference.decisions import collapse_level
from orchestrator.inference.sequential import RANK, Looks
from orchestrator.inference.sign_flip import EXACT_UP_TO, group_rank, sign_flip_p

__all__ = [
    "PowerReport",
    "Replication",
    "Spread",
    "as_looked_at",
    "assess",
    "detectable_collapse",
    "detectable_difference",
    "discordant_needed",
    "power_of",
    "seeds_to_detect",
    "seeds_to_reach",
    "smallest_corrected_p",
    "spread_of",
]

Floats = NDArray[np.float64]

_FEW_SIGN_VECTORS = 32
"""Below this many admitted sign vectors the t-test's power is too high by up to 18 points."""
_SIMULATED = 2500
_PATHS = 40_000
_MOST_SEEDS = 400
_SEED = 20_240_301


@dataclass(frozen=True)
class Spread:
    """Standard deviation of paired differences, and what it rests on.

    Attributes:
        sd: in units of the metric.
        df: degrees of freedom of the estimate; None: stated by the user, taken as known.
    """

    sd: float
    df: int | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sd) and self.sd > 0):
            raise RequestError(f"spread {self.sd}: must be a positive number, in units of the metric")
        if self.df is not None and self.df < 1:
            raise RequestError(f"degrees of freedom {self.df} of a spread: at least 1")

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the chi-square interval of the standard deviation; degenerate for a stated one."""
        if self.df is None:
            return self.sd, self.sd
        from scipy import special  # slow to import

        tail = (1.0 - confidence) / 2.0
        low, high = (2.0 * float(special.gammaincinv(self.df / 2, one)) for one in (1.0 - tail, tail))  # chi-square
        return self.sd * math.sqrt(self.df / low), self.sd * math.sqrt(self.df / high)


@dataclass(frozen=True)
class Replication:
    """What the test sees of a study: seeds (or looks), the size of the family, and alpha."""

    n_seeds: int
    contrasts: int = 1
    alpha: float = 0.05
    looks: Looks | None = None
    """For sequential studies; `n_seeds` is then the last planned look."""

    def __post_init__(self) -> None:
        if self.contrasts < 1 or self.n_seeds < 1 or not 0.0 < self.alpha < 1.0:
            raise RequestError(
                f"{self.contrasts} contrasts over {self.n_seeds} seeds at alpha {self.alpha}: "
                "needs at least one of each and 0 < alpha < 1"
            )

    @property
    def level(self) -> float:
        """Level of one contrast at Holm's first step."""
        return self.alpha / self.contrasts

    @property
    def flips(self) -> float:
        """Sign vectors that the test counts, up to the global sign: the smallest p is one of them."""
        if self.looks is not None and len(self.looks.planned) > 1:
            return 2.0 ** min(self.n_seeds - 1, RANK)
        return 2.0 ** (self.n_seeds - 1 if self.n_seeds <= EXACT_UP_TO else group_rank(self.n_seeds))


@dataclass(frozen=True)
class PowerReport:
    """What `plan` prints about detectability; differences in units of the metric."""

    replication: Replication
    reachable: bool
    """Whether the corrected test can fall to alpha at all."""
    smallest_p: float
    """The smallest corrected p these seeds can give (Holm's first step)."""
    seeds_to_reach: int
    power: float
    spread: Spread | None
    detectable: float
    """Smallest paired difference found with that power; inf if alpha is out of reach, nan without a spread."""
    detectable_interval: tuple[float, float]
    """The same at both ends of the spread's 95 % interval."""
    discordant_needed: int
    """Seeds on which only one side works, all one way, that the test of how often it works needs to show anything."""
    detectable_collapse: float
    """Smallest rate of collapse, beside a side that always works, found with that power; inf: none is."""


def as_looked_at(n_seeds: int, contrasts: int, alpha: float, looks: Looks | None) -> Replication:
    """Return what the test sees of a study that is looked at with `n_seeds` seeds.

    Several planned looks: the whole plan.  One planned number of seeds and a look by hand before it: that look may
    spend only its share of alpha, so the level is that much lower.
    """
    if looks is not None and len(looks.planned) > 1:
        return Replication(looks.planned[-1], contrasts, alpha, looks)
    return Replication(n_seeds, contrasts, alpha * (1.0 if looks is None else looks.share(n_seeds)))


def smallest_corrected_p(n_seeds: int, contrasts: int = 1) -> float:
    """Return the floor of the corrected p: m * 2^(1-n), at most 1 (beyond 20 pairs, that of the sampled test)."""
    return min(1.0, contrasts / Replication(n_seeds, contrasts).flips)


def seeds_to_reach(contrasts: int = 1, alpha: float = 0.05) -> int:
    """Return the fewest pairs with which one contrast of m can reach alpha after Holm's first step."""
    return max(2, 1 + math.ceil(math.log2(contrasts / alpha) - 1e-9))


def power_of(effect: float, spread: float, replication: Replication) -> float:
    """Probability that a contrast of this true difference is found.

    Args:
        effect: true mean paired difference.
        spread: true standard deviation of the paired differences.
        replication: seeds, family, alpha, looks.
    """
    return _curve(replication)(abs(effect) / spread)


def detectable_difference(spread: float, replication: Replication, power: float = 0.8) -> float:
    """Smallest true paired difference that is found with the given power; inf if alpha is out of reach."""
    return spread * _standard_detectable(replication, power)


def seeds_to_detect(effect: float, spread: float, contrasts: int = 1, alpha: float = 0.05, power: float = 0.8) -> int:
    """Return the fewest seeds (one look) that find this difference with the given power; 0 if 400 do not."""
    low, high = seeds_to_reach(contrasts, alpha) - 1, _MOST_SEEDS
    if power_of(effect, spread, Replication(high, contrasts, alpha)) < power:
        return 0
    while high - low > 1:
        middle = (low + high) // 2
        enough = power_of(effect, spread, Replication(middle, contrasts, alpha)) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high


def spread_of(differences: ArrayLike) -> Spread | None:
    """Pooled spread of the paired differences that the ledger has.

    Args:
        differences: (contrasts, seeds), nan where missing.

    Returns:
        Root mean variance over contrasts with two pairs or more, with the degrees of freedom of the *one* with most
        pairs: contrasts share a baseline, so theirs do not add up.  None if there is nothing to estimate from.
    """
    rows = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    kept = [row[np.isfinite(row)] for row in rows if np.isfinite(row).sum() >= 2]
    variances = np.array([row.var(ddof=1) for row in kept])
    if not kept or not variances.mean() > 0:
        return None
    return Spread(math.sqrt(float(variances.mean())), max(len(row) for row in kept) - 1)


def assess(replication: Replication, spread: Spread | None = None, power: float = 0.8) -> PowerReport:
    """What the design can detect, over the uncertainty of the spread."""
    smallest = min(1.0, replication.contrasts / replication.flips)
    low, high = (math.nan, math.nan) if spread is None else spread.interval()
    standard = _standard_detectable(replication, power) if spread is not None else math.nan
    return PowerReport(
        replication=replication,
        reachable=smallest <= replication.alpha * (1 + 1e-9),
        smallest_p=smallest,
        seeds_to_reach=seeds_to_reach(replication.contrasts, replication.alpha),
        power=power,
        spread=spread,
        detectable=math.nan if spread is None else spread.sd * standard,
        detectable_interval=(low * standard, high * standard),
        discordant_needed=discordant_needed(replication),
        detectable_collapse=detectable_collapse(replication, power),
    )


def discordant_needed(replication: Replication) -> int:
    """Return how many seeds on which only one side works, all one way, show something at the last look."""
    return critical(replication.n_seeds, _collapse_level(replication)).needed


def detectable_collapse(replication: Replication, power: float = 0.8) -> float:
    """Smallest rate of collapse of one side, the other never collapsing, that is named with the given power.

    The rate is counted over seeds at the last look; earlier looks of a sequential study can only add to the power.
    """
    return detectable_rate(replication.n_seeds, discordant_needed(replication), power)


def _collapse_level(replication: Replication) -> float:
    looks = (0, *replication.looks.planned) if replication.looks is not None else (0, replication.n_seeds)
    return collapse_level(replication.contrasts, replication.alpha) * (looks[-1] - looks[-2]) / looks[-1]


@lru_cache(maxsize=256)
def _standard_detectable(replication: Replication, power: float) -> float:
    curve = _curve(replication)
    high = 1.0
    while curve(high) < power:
        high *= 2.0
        if high > 64.0:
            return math.inf
    low = 0.0
    for _ in range(11):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if curve(middle) >= power else (middle, high)
    return high


@lru_cache(maxsize=64)
def _curve(replication: Replication) -> Callable[[float], float]:
    """Power as a function of the standardised difference."""
    n, level = replication.n_seeds, replication.level
    admitted = math.floor(level * replication.flips * (1 + 1e-9))
    if admitted < 1:
        return lambda effect: 0.0
    if replication.looks is not None and len(replication.looks.planned) > 1:
        return _sequential_curve(replication.looks.planned, level)
    if admitted < _FEW_SIGN_VECTORS and n <= EXACT_UP_TO:
        return _simulated_curve(n, level)
    return _t_curve(n, admitted / replication.flips)


def _simulated_curve(n: int, level: float) -> Callable[[float], float]:
    noise = np.random.default_rng(_SEED).standard_normal((_SIMULATED, n))
    return lambda effect: float(np.mean(sign_flip_p(noise + effect) <= level * (1 + 1e-9)))


def _t_curve(n: int, level: float) -> Callable[[float], float]:
    """Power of the paired t-test, by quadrature over the quantiles of the estimated variance (400 midpoints)."""
    from scipy import special

    quantiles = (np.arange(400) + 0.5) / 400
    variances = 2.0 * special.gammaincinv((n - 1) / 2, quantiles) / (n - 1)
    critical = special.stdtrit(n - 1, 1.0 - level / 2.0) * np.sqrt(variances)

    def power(effect: float) -> float:
        drift = effect * math.sqrt(n)
        return float(np.mean(special.ndtr(drift - critical) + special.ndtr(-drift - critical)))

    return power


def _sequential_curve(looks: tuple[int, ...], level: float) -> Callable[[float], float]:
    """Power to reject at any look: t statistics along simulated paths, the level spent as `Looks` spends it."""
    noise = np.random.default_rng(_SEED).standard_normal((_PATHS, looks[-1]))
    statistic = _t_paths(noise, looks, 0.0)
    open_paths = np.ones(_PATHS, dtype=bool)
    critical = []
    for look, n in enumerate(looks):
        # a look rejects only whole sign vectors, at most its share of the level with what was left unused
        flips = 2.0 ** min(n - 1, RANK)
        spend = math.floor(level * n / looks[-1] * flips * (1 + 1e-9)) / flips
        room = round(spend * _PATHS) - int((~open_paths).sum())
        ordered = np.sort(statistic[open_paths, look])
        critical.append(float(ordered[-room]) if room > 0 else math.inf)
        open_paths &= statistic[:, look] < critical[-1]
    bounds = np.array(critical)
    return lambda effect: float(np.mean((_t_paths(noise, looks, effect) >= bounds).any(axis=1)))


def _t_paths(noise: Floats, looks: tuple[int, ...], effect: float) -> Floats:
    paths = np.empty((len(noise), len(looks)))
    for look, n in enumerate(looks):
        seen = noise[:, :n]
        paths[:, look] = np.abs(seen.mean(axis=1) + effect) * math.sqrt(n) / seen.std(axis=1, ddof=1)
    return paths
