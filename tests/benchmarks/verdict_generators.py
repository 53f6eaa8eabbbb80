"""Made-up studies of which the truth of every claim is known, for `verdict_errors.py`.

Values are NMI points: a seed's own part in common (sd 6), an arm's own part with sd 3 or so. `works` is 0 on a seed on
which an arm collapsed or failed; its value there is low, or nan for a failed trial.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
Study = tuple[np.ndarray, np.ndarray]
"""values, works: (studies, 1 + contrasts, seeds)."""

SD = 3.0
COLLAPSED = 10.0
LN2 = float(np.log(2.0))


@dataclass(frozen=True)
class Row:
    """One kind of study, and which of its differences are there."""

    name: str
    draw: Callable[[np.random.Generator, int, int, int], Study]
    differs: bool
    """Whether the sides differ where both work (their paired difference is not symmetric about 0)."""
    most: bool
    """Whether one side is better on most of the seeds on which both work."""
    mean: bool
    """Whether the mean difference over all seeds is other than 0."""
    collapses: bool
    """Whether one side works more often."""


def normal(random, shape):
    return random.normal(0, SD, shape)


def heavy(random, shape):
    return SD * random.standard_t(3, shape) / np.sqrt(3)


def exponential(random, shape):
    return SD * random.exponential(size=shape)


def humped(random, shape):
    """Four fifths at one level, a fifth twelve points higher."""
    return np.where(random.random(shape) < 0.2, 12.0, 0.0) + random.normal(0, 1.5, shape)


def rounded(random, shape):
    return np.round(random.normal(0, SD, shape) / 4.0) * 4.0


def study(random, n_studies, m, n, baseline: Draw, rivals: Draw, shift: float = 0.0) -> Study:
    """A baseline and m rivals on n seeds, of different distributions if asked for; everything works."""
    seed = random.normal(60, 6, (n_studies, 1, n))
    own = np.concatenate([baseline(random, (n_studies, 1, n)), rivals(random, (n_studies, m, n)) + shift], axis=1)
    return seed + own, np.ones((n_studies, 1 + m, n))


def of(baseline: Draw, rivals: Draw, shift: float = 0.0):
    return lambda random, n_studies, m, n: study(random, n_studies, m, n, baseline, rivals, shift)


def quiet(random, shape):
    return random.normal(0, SD / 3, shape)


def median_of(rivals: Draw, baseline: Draw = quiet) -> float:
    """The median of rival minus baseline, of a million draws."""
    random = np.random.default_rng(1)
    return float(np.median(rivals(random, (10**6,)) - baseline(random, (10**6,))))


def mean_of(rivals: Draw, baseline: Draw = quiet) -> float:
    random = np.random.default_rng(2)
    return float(np.mean(rivals(random, (10**6,)) - baseline(random, (10**6,))))


def collapsing(rates, *, shared: float = 0.0, living: Draw = normal, gain: float = 0.0):
    """Arms that collapse at their rates (baseline, rivals); `shared` is the correlation over the arms of a seed."""

    def draw(random, n_studies, m, n):
        values, _ = study(random, n_studies, m, n, living, living, gain)
        rate = np.array([rates[0], *[rates[1]] * m])[:, None]
        gone = random.random(values.shape) < (of_seed(random, (n_studies, 1, n), rates, shared) if shared else rate)
        return np.where(gone, COLLAPSED + random.normal(0, 0.5, values.shape), values), 1.0 - gone

    return draw


def of_seed(random, shape, rates, shared: float):
    """A rate of collapse a seed, with the mean rate and this correlation between two arms on one seed (beta)."""
    rate = rates[0]
    if shared >= 1.0:
        return (random.random(shape) < rate).astype(float)
    size = 1.0 / shared - 1.0
    return random.beta(rate * size, (1.0 - rate) * size, shape)


def worst_fail(random, n_studies, m, n) -> Study:
    """The worst 15 % of the rivals' trials fail and leave no value."""
    values, works = study(random, n_studies, m, n, normal, normal)
    own = values[:, 1:] - 60.0
    failed = own < stats.norm.ppf(0.15) * np.hypot(6, SD)
    works[:, 1:] = ~failed
    values[:, 1:] = np.where(failed, np.nan, values[:, 1:])
    return values, works


EXPONENTIAL_MEDIAN, EXPONENTIAL_MEAN = median_of(exponential), mean_of(exponential)
HUMPED_MEDIAN, HUMPED_MEAN = median_of(humped), mean_of(humped)
GAIN = 0.1 * (60.0 - COLLAPSED) / 0.9
"""By how much rivals that collapse on 10 % of the seeds must be better elsewhere for equal means."""


def wide(random, shape):
    return random.normal(0, 3 * SD, shape)


def log_normal(random, shape):
    return SD * (np.exp(0.8 * random.normal(size=shape)) - 1.0)


LOG_NORMAL_MEDIAN = median_of(log_normal)

DIFFERENCES = [
    Row("normal", of(normal, normal), False, False, False, False),
    Row("heavy-tailed (t, 3 df)", of(heavy, heavy), False, False, False, False),
    Row("rivals with three times the spread", of(normal, wide), False, False, False, False),
    Row("ties (values in steps)", of(rounded, rounded), False, False, False, False),
    Row("all arms exponential", of(exponential, exponential), False, False, False, False),
    Row("all arms with a hump 80/20", of(humped, humped), False, False, False, False),
    Row("all arms collapse on 10 %", collapsing((0.1, 0.1)), False, False, False, False),
    Row("all arms collapse on 30 %, by seed", collapsing((0.3, 0.3), shared=0.56), False, False, False, False),
    Row("exponential rivals, as often better", of(quiet, exponential, -EXPONENTIAL_MEDIAN), True, False, True, False),
    Row("log-normal rivals, as often better", of(quiet, log_normal, -LOG_NORMAL_MEDIAN), True, False, True, False),
    Row("rivals with a hump, as often better", of(quiet, humped, -HUMPED_MEDIAN), True, False, True, False),
    Row("exponential baseline, as often better", of(exponential, quiet, EXPONENTIAL_MEDIAN), True, False, True, False),
    Row("exponential rivals, equal means", of(quiet, exponential, -EXPONENTIAL_MEAN), True, True, False, False),
    Row("rivals with a hump, equal means", of(quiet, humped, -HUMPED_MEAN), True, True, False, False),
    Row("rivals collapse on 10 %, equal means", collapsing((0.0, 0.1), gain=GAIN), True, True, False, True),
    Row("worst 15 % of the rivals fail", worst_fail, True, True, False, True),
]


def at_margin(rivals: Draw, centre: float, margin: float = 3.0):
    """Rivals whose typical (or mean) difference lies at -margin."""
    return of(lambda random, shape: np.zeros(shape), rivals, -margin - centre)


def left(random, shape):
    return -exponential(random, shape)


def _median_of_hump() -> float:
    def share_below(x: float) -> float:
        return 0.8 * stats.norm.cdf(x, 0, 1.5) + 0.2 * stats.norm.cdf(x, 12, 1.5)

    return float(optimize.brentq(lambda x: share_below(x) - 0.5, -9, 9))


EQUIVALENCE = {
    "at the margin, normal": (at_margin(normal, 0.0), False),
    "at the margin, t with 3 df": (at_margin(heavy, 0.0), False),
    "at the margin, exponential to the far side": (at_margin(left, -SD * LN2), False),
    "at the margin, hump 80/20": (at_margin(humped, _median_of_hump()), False),
    "at the margin, exponential to the near side": (at_margin(exponential, SD * LN2), False),
    "within, though the mean is at the margin": (at_margin(left, -SD), True),
    "within, though 10 % collapse": (collapsing((0.0, 0.1)), True),
}
"""name -> (studies, whether the typical difference where both work lies within the margin)."""
ASSUMED = "at the margin, exponential to the near side"
"""The row in which the assumption of the test fails (differences skewed towards zero): printed, not bounded."""
