"""The test that decides a contrast, its interval, equivalence, corrections over a family, and descriptive company.

Sign flips decide (`orchestrator.inference.sign_flip`), or the sign test where one difference dominates: a rule that no
flip of signs changes. Paired t, Wilcoxon, IQM and the probability of improvement describe and decide nothing. Textbook
statistics come from scipy.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from orchestrator.errors import RequestError
from orchestrator.inference.sign_flip import (
    Alternative,
    Interval,
    interval_ends,
    one_dominates,
    sign_flip_interval,
    sign_flip_p,
)

__all__ = [
    "Interval",
    "check_margin",
    "deciding_interval_ends",
    "deciding_p",
    "holm",
    "interquartile_mean",
    "paired_t",
    "probability_of_improvement",
    "sign_flip_interval",
    "sign_flip_p",
    "sign_test_p",
    "step_down",
    "tost",
    "trend_weights",
    "visibly_skewed",
    "wilcoxon",
]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SKEWED_BELOW = 0.01
"""Level of the test of skewness: differences that look skewed must pass the sign test too to count as equivalent."""
_FEWEST_FOR_SKEWNESS = 8
_SLACK = 1e-12
"""p * m == alpha must count as reached whatever the rounding of the product."""


def holm(p: ArrayLike) -> Floats:
    """Holm's step-down correction (Holm 1979, Scand. J. Stat. 6), along the last axis.

    Args:
        p: (..., m) p-values of one family of m tests; nan (a refused test) stays nan and still counts in m,
            because the family was fixed by the plan.

    Returns:
        (..., m) corrected p-values, at most 1: compare them with alpha.
    """
    values = np.asarray(p, dtype=np.float64)
    filled = np.where(np.isnan(values), 1.0, values)
    order = np.argsort(filled, axis=-1, kind="stable")
    steps = np.arange(values.shape[-1], 0, -1)
    climbing = np.maximum.accumulate(np.take_along_axis(filled, order, axis=-1) * steps, axis=-1)
    corrected = np.empty_like(filled)
    np.put_along_axis(corrected, order, np.minimum(1.0, climbing), axis=-1)
    return np.where(np.isnan(values), np.nan, corrected)


def step_down(p: Floats, cost: Floats, least: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Holm's step-down without the tests that cannot reject, and where a test leaves part of its level to another.

    Of the tests that are left, the fewest K are found such that at most K can reach what K leave each of them (Tarone
    1990, Biometrics 46; step by step: Hommel and Krummenauer 1998, Biometrics 54); the largest share so far stays.

    Args:
        p: (..., m) p-values; nan is refused.
        cost: (..., m) what of each contrast's level is spent elsewhere, as long as nothing is shown there.
        least: (..., m) smallest p-value that each test can give, whatever the signs.
        alpha: level of the family.

    Returns:
        Corrected p-values, to be compared with alpha (those of Holm where nothing costs and every test can reject), and
        the level that each p is compared with at its place in the order of the steps.
    """
    needed = np.where(np.isnan(p), 1.0, p) + cost
    order = np.argsort(needed, axis=-1, kind="stable")
    needed, spent, least = (np.take_along_axis(one, order, axis=-1) for one in (needed, cost, least + cost))
    m = p.shape[-1]
    share, left = np.zeros(p.shape[:-1]), np.full(p.shape[:-1], alpha)
    corrected, level = np.empty(p.shape), np.empty(p.shape)
    highest = np.zeros(p.shape[:-1])
    for step in range(m):
        divisors = np.arange(1, m - step + 1)
        can = (least[..., step:, None] <= (left[..., None] / divisors)[..., None, :] * (1 + _SLACK)).sum(axis=-2)
        fewest = divisors[np.argmax(can <= divisors, axis=-1)]
        share = np.maximum(share, left / fewest)
        highest = np.maximum(highest, alpha * needed[..., step] / share)
        np.put_along_axis(corrected, order[..., step, None], np.minimum(1.0, highest)[..., None], axis=-1)
        np.put_along_axis(level, order[..., step, None], (share - spent[..., step])[..., None], axis=-1)
        left = left - spent[..., step]
    return np.where(np.isnan(p), np.nan, corrected), level


def sign_test_p(differences: ArrayLike, alternative: Alternative = "two-sided") -> Floats:
    """Exact p of the sign test that a positive difference is as likely as a negative one; zeros are left out.

    Args:
        differences: (..., n) paired differences; nan is left out.
        alternative: "two-sided", or "greater" (more positive ones).
    """
    from scipy import special  # slow to import

    array = np.asarray(differences, dtype=np.float64)
    up, down = (array > 0).sum(axis=-1), (array < 0).sum(axis=-1)
    if alternative == "greater":
        return np.asarray(special.bdtr(down, up + down, 0.5), dtype=np.float64)
    return np.asarray(np.minimum(1.0, 2.0 * special.bdtr(np.minimum(up, down), up + down, 0.5)), dtype=np.float64)


def deciding_p(differences: ArrayLike, alternative: Alternative = "two-sided") -> Floats:
    """P-value of the test that decides: sign flips, or the sign test where one difference dominates.

    Exact wherever a difference is as likely as its negative, since flips of signs do not change which test it is.

    Args:
        differences: (..., n) as in `sign_flip_p`.
        alternative: as there.
    """
    array = np.asarray(differences, dtype=np.float64)
    return np.where(one_dominates(array), sign_test_p(array, alternative), sign_flip_p(array, alternative))


def deciding_interval_ends(differences: Floats, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Interval of the test that decides at 0: of the centre (sign flips) or the median (sign test: order statistics).

    Args:
        differences: (rows, n), nan where a pair is missing.
        confidence: in (0, 1).

    Returns:
        Lower ends, upper ends and attained confidence, as `interval_ends`.
    """
    low, high, attained = interval_ends(differences, confidence)
    for row in np.flatnonzero(one_dominates(differences)):
        low[row], high[row], attained[row] = _median_interval(np.sort(_finite(differences[row])), confidence)
    return low, high, attained


def _median_interval(ordered: Floats, confidence: float) -> tuple[float, float, float]:
    """Ends and attained confidence of the interval of the median, which the sign test inverts."""
    from scipy import special

    n = len(ordered)
    tails = special.bdtr(np.arange(n), n, 0.5)
    out = int(np.count_nonzero(2.0 * tails <= (1.0 - confidence) * (1 + 1e-9)))
    if out == 0:
        return -math.inf, math.inf, math.nan
    return float(ordered[out - 1]), float(ordered[n - out]), float(1.0 - 2.0 * tails[out - 1])


def visibly_skewed(differences: ArrayLike) -> Bools:
    """Whether the differences are skewed beyond what one sample of normal ones in 100 is (D'Agostino 1970); from 8 on.

    Args:
        differences: (..., n) paired differences; nan is left out.
    """
    from scipy import stats  # slow to import

    array = np.asarray(differences, dtype=np.float64)
    rows = array.reshape(math.prod(array.shape[:-1]), array.shape[-1])
    counts = np.isfinite(rows).sum(axis=1)
    skewed = np.zeros(len(rows), dtype=bool)
    for n in np.unique(counts[counts >= _FEWEST_FOR_SKEWNESS]):
        chosen = np.flatnonzero(counts == n)
        own = rows[chosen]
        packed = own[np.isfinite(own)].reshape(len(chosen), n)
        varied = np.ptp(packed, axis=1) > 1e-9 * np.abs(packed).max(axis=1)  # else rounding alone would be measured
        skewed[chosen[varied]] = stats.skewtest(packed[varied], axis=1).pvalue < SKEWED_BELOW
    return skewed.reshape(array.shape[:-1])


def tost(differences: ArrayLike, margin: float) -> Floats:
    """Equivalence within +-margin by two one-sided tests (Schuirmann 1987, J. Pharmacokin. 15).

    Args:
        differences: (..., n) paired differences; nan is a missing pair and is left out.
        margin: positive; in the units of the differences; stated before the run.

    Returns:
        (...) the larger of the two one-sided p-values: small means "the effect is smaller than the margin".

    Raises:
        RequestError: margin is not a positive number.
    """
    check_margin(margin)
    array = np.asarray(differences, dtype=np.float64)
    return np.maximum(deciding_p(array + margin, "greater"), deciding_p(margin - array, "greater"))


def check_margin(margin: float) -> None:
    """Refuse an equivalence margin that is not a positive number.

    Raises:
        RequestError: names the margin.
    """
    if not (math.isfinite(margin) and margin > 0):
        raise RequestError(f"margin {margin}: equivalence needs a positive number, in the units of the metric")


def paired_t(differences: ArrayLike, confidence: float = 0.95) -> tuple[float, Interval]:
    """Two-sided paired t-test and its interval; descriptive (it assumes normal differences).

    Args:
        differences: (n,) paired differences; nan is left out.
        confidence: of the interval.

    Returns:
        p-value and interval; nan and an infinite interval below two pairs.
    """
    values = _finite(differences)
    if len(values) < 2:
        return math.nan, Interval(-math.inf, math.inf, confidence, attainable=False)
    mean, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))
    if error == 0.0:
        return (1.0 if mean == 0.0 else 0.0), Interval(mean, mean, confidence, True, confidence)
    from scipy import special  # `scipy.stats` takes five times as long to import

    p = 2.0 * float(special.stdtr(len(values) - 1, -abs(mean) / error))
    reach = float(special.stdtrit(len(values) - 1, 0.5 + confidence / 2.0)) * error
    return p, Interval(mean - reach, mean + reach, confidence, True, confidence)


def wilcoxon(differences: ArrayLike) -> float:
    """Two-sided Wilcoxon signed-rank p-value, descriptive; exact below 50 untied pairs, zeros left out."""
    values = _finite(differences)
    values = values[values != 0.0]
    if len(values) == 0:
        return 1.0
    from scipy import stats  # slow to import

    untied = len(np.unique(np.abs(values))) == len(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns about small samples with ties; the number is descriptive
        return float(stats.wilcoxon(values, method="exact" if untied and len(values) < 50 else "approx").pvalue)


def interquartile_mean(values: ArrayLike) -> float:
    """Mean without the lowest and the highest quarter (Agarwal et al. 2021, NeurIPS); nan if nothing is left."""
    from scipy import stats

    finite = _finite(values)
    return float(stats.trim_mean(finite, 0.25)) if len(finite) else math.nan


def probability_of_improvement(differences: ArrayLike) -> float:
    """Share of pairs in which the difference is positive, ties counted half: P(X > Y | same seed)."""
    finite = _finite(differences)
    return float(np.mean((finite > 0) + 0.5 * (finite == 0))) if len(finite) else math.nan


def trend_weights(levels: Sequence[float], *, log: bool = False) -> tuple[float, ...]:
    """Weights of the linear trend over ordered levels: the fitted change from the lowest to the highest level.

    Least squares within each seed: w_i = (x_i - mean x)(max x - min x) / sum (x - mean x)^2.

    Args:
        levels: at least two different numbers, one per arm.
        log: take the levels on a logarithmic scale.

    Raises:
        RequestError: fewer than two different levels, or a level <= 0 on a logarithmic scale.
    """
    x = np.asarray(levels, dtype=np.float64)
    if log and np.any(x <= 0):
        raise RequestError(f"levels {list(levels)}: a logarithmic trend needs positive levels")
    x = np.log(x) if log else x
    centred = x - x.mean()
    if len(x) < 2 or np.ptp(x) == 0.0:
        raise RequestError(f"levels {list(levels)}: a trend needs at least two different levels")
    return tuple(float(w) for w in centred * np.ptp(x) / np.sum(centred**2))


def _finite(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    return array[np.isfinite(array)]
