"""Which knobs matter: PED-ANOVA with bootstrap intervals, fANOVA, Morris mu*, Sobol S1 and ST, level curves.

Arrays and frames in, frames out; the estimators are Optuna's and SALib's (PED-ANOVA's for all resamples at once,
`parzen`), the intervals are added here. Removing a
component beside adding it (`switched`) says where the two disagree.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.sensitivity import parzen
from analysis.sensitivity.distributions import distribution
from analysis.verdicts.verdicts import Verdict
from orchestrator.errors import RequestError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # inside a notebook tqdm asks for widgets, which a report does not need
    import optuna
    from optuna.distributions import BaseDistribution

__all__ = [
    "curve",
    "fanova",
    "morris",
    "ped_anova",
    "rank_agreement",
    "sobol",
    "switched",
]

Floats = NDArray[np.float64]

TREES, DEPTH = 32, 6
"""fANOVA's forest: 64 leaves a tree; Optuna's default of unlimited depth takes minutes on 1,000 configurations."""


def ped_anova(
    knobs: pd.DataFrame,
    objective: Floats,
    space: Mapping[str, object] | None = None,
    *,
    n_bootstrap: int = 200,
) -> pd.DataFrame:
    """Return each knob's share in reaching the best tenth of the configurations (Watanabe et al. 2023), with intervals.

    Of few configurations it is the best six instead: the estimate needs five or more.

    Args:
        knobs: (configurations, knobs) the values that were tried.
        objective: (configurations,) what is to be large; nan is left out.
        space: knob -> the record's entry of its domain.
        n_bootstrap: resamples of the configurations; 95 % percentile intervals.

    Returns:
        Index knob, by falling importance; `importance` (shares that sum to 1), `low`, `high`.

    Raises:
        RequestError: fewer than 10 configurations with an objective.
    """
    tried, known = _tried(knobs, objective, space)
    values = np.asarray(objective, dtype=np.float64)[np.isfinite(objective)]
    n, best = len(tried), max(0.1, 6 / len(tried))
    drawn = np.vstack([np.arange(n), np.random.default_rng(0).integers(n, size=(n_bootstrap, n))])
    columns = {name: tried[name].to_list() for name in known}
    whole, *draws = parzen.shares(columns, known, values, drawn, best)
    low, high = np.nanpercentile(np.array(draws or [whole]), [2.5, 97.5], axis=0)
    # a percentile interval of shares may miss the estimate, which resampling (fewer distinct points) moves
    table = pd.DataFrame(
        {"importance": whole, "low": np.minimum(low, whole), "high": np.maximum(high, whole)},
        index=pd.Index(list(known)),
    )
    return table.sort_values("importance", ascending=False)


def fanova(knobs: pd.DataFrame, objective: Floats, space: Mapping[str, object] | None = None) -> pd.Series[float]:
    """Return each knob's share in the variance over the whole space, by one random forest (Hutter et al. 2014, ICML).

    Args and errors as in `ped_anova`; no interval, so it stands beside PED-ANOVA only for the agreement of ranks.
    """
    tried, known = _tried(knobs, objective, space)
    values = np.asarray(objective, dtype=np.float64)[np.isfinite(objective)]
    study = optuna.create_study(direction="maximize")
    for params, value in zip(tried.to_dict("records"), values.tolist(), strict=True):
        made = optuna.trial.create_trial(params={**params}, distributions=known, value=value)  # type: ignore[dict-item]
        study.add_trial(made)
    evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=TREES, max_depth=DEPTH, seed=0)
    found = evaluator.evaluate(study, params=list(known))
    return pd.Series(found, index=list(known), dtype=np.float64).sort_values(ascending=False)


def rank_agreement(first: pd.Series[float], second: pd.Series[float]) -> float:
    """Return Kendall's tau between two importances of the same knobs (index: knob); nan for fewer than two."""
    if len(first) < 2:
        return math.nan
    return float(stats.kendalltau(first, second[first.index]).statistic)


def _tried(
    knobs: pd.DataFrame, objective: Floats, space: Mapping[str, object] | None
) -> tuple[pd.DataFrame, dict[str, BaseDistribution]]:
    """Return the configurations that have an objective, and the knobs that vary among them with their distributions."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table = knobs[np.isfinite(objective)]
    if len(table) < 10:
        raise RequestError(f"importances need at least 10 complete configurations; there are {len(table)}")
    known = {}
    for name in table.columns:
        if table[name].nunique() > 1:
            known[name] = distribution(table[name].to_list(), (space or {}).get(name))
    return table[list(known)], known


def morris(points: Floats, values: Floats, names: Sequence[str], n_levels: int = 4) -> pd.DataFrame:
    """Return mean absolute elementary effects of a Morris design, with t intervals over seeds.

    Args:
        points: (trajectories * (k + 1), k) the sample in its order; only which knob moves, and where to, is read.
        values: (seeds, points) the metric; a seed with a missing point is left out.
        names: the k knobs.
        n_levels: levels of the sample's grid.

    Returns:
        Index knob, by falling `mu_star`; `low`, `high`, and `sigma` (spread of the effects: interactions, curvature).
    """
    from SALib.analyze import morris as salib

    ranked = stats.rankdata(points, method="dense", axis=0).astype(np.float64)
    problem = {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}
    mu_star, sigma = [], []
    for of_seed in _complete(values):
        found = salib.analyze(problem, ranked, of_seed, num_levels=n_levels, num_resamples=2, seed=0)
        mu_star.append(np.asarray(found["mu_star"]))
        sigma.append(np.asarray(found["sigma"]))
    table = _over_seeds(names, mu_star, "mu_star")
    table["sigma"] = np.mean(sigma, axis=0)
    return table.sort_values("mu_star", ascending=False)


def sobol(values: Floats, names: Sequence[str]) -> pd.DataFrame:
    """Return first-order and total shares of variance of a Saltelli design (no second order), with intervals.

    Seeds are averaged first: S1 and ST are about the expected metric. Intervals are SALib's bootstrap over the sample,
    which knows nothing of the noise between seeds.

    Args:
        values: (seeds, base * (k + 2)) the metric over the sample in its order.
        names: the k knobs.

    Returns:
        Index knob, by falling `ST`; `S1`, `S1_low`, `S1_high`, `ST_low`, `ST_high`.
    """
    from SALib.analyze import sobol as salib

    problem = {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}
    mean = _complete(values).mean(axis=0)
    if np.ptp(mean) == 0:
        raise RequestError("Sobol indices of a constant metric do not exist: no configuration differs from another")
    found = salib.analyze(problem, mean, calc_second_order=False, num_resamples=200, seed=1)  # 0 is none
    table = pd.DataFrame(index=pd.Index(names))
    for kind in ("S1", "ST"):
        estimate, reach = np.asarray(found[kind]), np.asarray(found[f"{kind}_conf"])
        table[kind], table[f"{kind}_low"], table[f"{kind}_high"] = estimate, estimate - reach, estimate + reach
    return table.sort_values("ST", ascending=False)


def _complete(values: Floats) -> Floats:
    rows = np.atleast_2d(np.asarray(values, dtype=np.float64))
    kept = rows[np.isfinite(rows).all(axis=1)]
    if not len(kept):
        raise RequestError("sensitivity indices need at least one seed with a value at every point of the sample")
    return kept


def _over_seeds(names: Sequence[str], rows: Sequence[Floats], column: str) -> pd.DataFrame:
    table = np.array(rows)
    mean, n = table.mean(axis=0), len(table)
    reach = np.full(len(names), np.nan)
    if n > 1:
        reach = stats.t.ppf(0.975, n - 1) * table.std(axis=0, ddof=1) / math.sqrt(n)
    return pd.DataFrame({column: mean, "low": mean - reach, "high": mean + reach}, index=pd.Index(names))


def curve(x: Floats, y: Floats, n_bins: int = 6) -> pd.DataFrame:
    """Return the mean of y over bins of x with equal numbers of points, and its t interval: a sensitivity curve.

    Args:
        x: (n,) values of a knob.
        y: (n,) the metric; nan is left out.
        n_bins: at most so many bins; each has three points or more.

    Returns:
        `x` (mean position), `mean`, `low`, `high`, `n` of each bin, by growing x.
    """
    there = np.isfinite(x) & np.isfinite(y)
    order = np.argsort(x[there], kind="stable")
    bins = max(1, min(n_bins, int(there.sum()) // 3))
    rows = []
    for part in np.array_split(order, bins):
        here, n = y[there][part], len(part)
        reach = stats.t.ppf(0.975, n - 1) * here.std(ddof=1) / math.sqrt(n) if n > 1 else math.nan
        rows.append((x[there][part].mean(), here.mean(), here.mean() - reach, here.mean() + reach, n))
    return pd.DataFrame(rows, columns=["x", "mean", "low", "high", "n"])


def switched(found: Sequence[Verdict]) -> pd.DataFrame:
    """Set taking a component away beside putting it in alone, and mark where the two disagree.

    Taking away counts with the other sign, so that both columns say what the component gives. They disagree if one
    is an effect and the other is one of the other sign, or is shown to be none.

    Returns:
        Index (component, dataset): `by_removal`, `by_addition` (units of the metric), their intervals, `disagree`.
        Empty unless the study has both designs.
    """
    sides: dict[tuple[str, str], dict[str, Verdict]] = {}
    for verdict in found:
        if verdict.contrast.level in ("without", "only"):
            key = (verdict.contrast.factor, verdict.dataset)
            sides.setdefault(key, {})[verdict.contrast.level] = verdict
    both = {key: side for key, side in sides.items() if len(side) == 2}
    rows = []
    for side in both.values():
        removal, addition = side["without"].judgement, side["only"].judgement
        rows.append(
            {
                "by_removal": -removal.estimate,
                "removal_low": -removal.interval.high,
                "removal_high": -removal.interval.low,
                "by_addition": addition.estimate,
                "addition_low": addition.interval.low,
                "addition_high": addition.interval.high,
                "disagree": _disagree(side["without"], side["only"]),
            }
        )
    return pd.DataFrame(rows, index=pd.MultiIndex.from_tuples(both, names=["component", "dataset"]) if both else None)


def _disagree(removal: Verdict, addition: Verdict) -> bool:
    decisions = {removal.judgement.decision, addition.judgement.decision}
    opposite = removal.judgement.estimate * addition.judgement.estimate > 0
    return decisions == {"effect", "equivalent"} or (decisions == {"effect"} and opposite)
