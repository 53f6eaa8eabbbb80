"""What the page knows of every trial: outcome, config and curve, as plain columns that a script of the page reads.

Numbers are in printed units, rounded to what a reader can see; curves keep fewer epochs the more trials there are.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.number_format import label, name, scale
from analysis.verdicts.verdicts import Verdict, contrast_label
from orchestrator.inspection.trial_view import commands_again

__all__ = ["contrast_data", "curve_data", "trial_data"]

FIRST_METRICS = ("loss", "acc", "nmi", "ari", "neighbour_mi")
"""Beside the study's own, of these there are curves, as far as trials have them."""
MOST_NUMBERS = 400_000
"""In all curves of a page together: about two megabytes."""
MOST_ERRORS = 60
ERROR_LETTERS = 4000

Columns = dict[str, Any]


def trial_data(study: StudyView) -> Columns:
    """Return one entry per trial that an arm or a search asked for, in the order of the plan, column by column."""
    rows = study.rows
    metrics = study_view.metrics_of(rows)
    arms = [str(arm["name"]) for arm in study.record["arms"]]
    names = list(dict.fromkeys([*arms, *rows["arm"].astype(str)]))
    configs, config_of = _configs(rows)
    errors, error_of = _errors(rows)
    return {
        "arms": _arms(study, names),
        "metrics": [_metric(metric) for metric in _ordered(metrics, study.metric)],
        "again": commands_again(study.name, str(study.record.get("command", ""))),
        "id": rows["trial_id"].astype(str).tolist(),
        "arm": rows["arm"].astype(str).map({arm: place for place, arm in enumerate(names)}).tolist(),
        "seed": [int(seed) for seed in rows["seed"]],
        "search": (rows["phase"] == "search").astype(int).tolist(),
        "state": rows["state"].astype(str).tolist(),
        "collapsed": rows["collapsed"].astype(int).tolist(),
        "kind": _texts(rows, "failure_kind"),
        "seconds": _rounded(rows["cost.seconds"]) if "cost.seconds" in rows else [None] * len(rows),
        "values": {metric: _printed(rows[f"metric.{metric}"], metric) for metric in metrics},
        "configs": configs,
        "config": config_of,
        "errors": errors,
        "error": error_of,
    }


def _arms(study: StudyView, names: Sequence[str]) -> list[Columns]:
    known = {str(arm["name"]): arm for arm in study.record["arms"]}
    return [
        {
            "name": arm,
            "role": str(known.get(arm, {}).get("role", "")),
            "dataset": str(known.get(arm, {}).get("dataset", "")),
            "method": str(known.get(arm, {}).get("method", "")),
        }
        for arm in names
    ]


def _ordered(metrics: Sequence[str], own: str) -> list[str]:
    first = [metric for metric in dict.fromkeys((own, *FIRST_METRICS)) if metric in metrics]
    return [*first, *(metric for metric in metrics if metric not in first)]


def _metric(metric: str) -> Columns:
    return {"key": metric, "name": name(metric), "label": label(metric), "percent": scale(metric) == 100.0}


def _texts(rows: pd.DataFrame, column: str) -> list[str]:
    return [one if isinstance(one, str) else "" for one in rows[column]] if column in rows else [""] * len(rows)


def _configs(rows: pd.DataFrame) -> tuple[Columns, list[int]]:
    """Return distinct configs, as what those of a method have in common and what each has of its own; and whose."""
    texts = _texts(rows, "config")
    methods = [str(one) for one in rows["method"]]
    pairs = list(dict.fromkeys((method, text) for method, text in zip(methods, texts, strict=True) if text))
    parsed = {pair: json.loads(pair[1]) for pair in pairs}
    common = {method: _common([one for (own, _), one in parsed.items() if own == method]) for method in set(methods)}
    own_parts = []
    for (method, _), values in parsed.items():
        own = {knob: value for knob, value in values.items() if common[method].get(knob, values) != value}
        own_parts.append({"method": method, "own": own})
    place = {pair: index for index, pair in enumerate(pairs)}
    which = [place.get(pair, -1) for pair in zip(methods, texts, strict=True)]
    return {"common": dict(sorted(common.items())), "own": own_parts}, which


def _common(configs: Sequence[Mapping[str, Any]]) -> Columns:
    """Return each knob's most frequent value."""
    common = {}
    for knob in dict.fromkeys(knob for config in configs for knob in config):
        texts = Counter(json.dumps(config[knob]) for config in configs if knob in config)
        common[knob] = json.loads(texts.most_common(1)[0][0])
    return common


def _errors(rows: pd.DataFrame) -> tuple[list[str], list[int]]:
    """Return the ends of distinct errors, the first `MOST_ERRORS`, and which one each trial has (-1: none of them)."""
    texts = [text.strip()[-ERROR_LETTERS:] for text in _texts(rows, "error")]
    distinct = [text for text in dict.fromkeys(texts) if text][:MOST_ERRORS]
    place = {text: index for index, text in enumerate(distinct)}
    return distinct, [place.get(text, -1) for text in texts]


def curve_data(study: StudyView, epochs: pd.DataFrame) -> Columns:
    """Return the curves of all trials that have them: epochs, ids, and per metric one list of values a trial."""
    columns = [one.removeprefix("metric.") for one in epochs.columns if one.startswith("metric.")]
    wanted = [metric for metric in _ordered(columns, study.metric) if metric in (study.metric, *FIRST_METRICS)]
    if epochs.empty:
        return {"ids": [], "epochs": [], "values": {}}
    once = epochs.drop_duplicates(["trial_id", "epoch"])
    tables = {
        metric: once.pivot(index="trial_id", columns="epoch", values=f"metric.{metric}").dropna(axis=1, how="all")
        for metric in wanted
    }
    tables = {metric: table for metric, table in tables.items() if table.shape[1] > 2}
    if not tables:
        return {"ids": [], "epochs": [], "values": {}}
    ids = [str(one) for one in dict.fromkeys(once["trial_id"])]
    kept = _kept(
        sorted({int(epoch) for table in tables.values() for epoch in table.columns.tolist()}), len(ids) * len(tables)
    )
    values = {}
    for metric, table in tables.items():
        lines = table.reindex(index=ids, columns=kept).to_numpy(dtype=np.float64)
        values[metric] = [_printed(line, metric) for line in lines]
    return {"ids": ids, "epochs": [int(epoch) for epoch in kept], "values": values}


def _kept(epochs: Sequence[int], n_curves: int) -> list[int]:
    """Return the epochs that are kept: all, or as many as fit, evenly, the first and the last among them."""
    most = max(5, MOST_NUMBERS // max(1, n_curves))
    if len(epochs) <= most:
        return list(epochs)
    return [epochs[place] for place in np.unique(np.linspace(0, len(epochs) - 1, most).round().astype(int))]


def contrast_data(study: StudyView, found: Sequence[Verdict]) -> list[Columns]:
    """Return every contrast with its arms, and its differences in every metric that is shown beside the study's own.

    In other metrics differences are described: means with t intervals over the seeds on which all its arms work.
    """
    metrics = _ordered(study_view.metrics_of(study_view.confirm_rows(study)), study.metric)
    tables = {metric: study_view.arm_seed_values(study, metric) for metric in metrics}
    described = []
    for verdict in found:
        weights = verdict.contrast.weights
        by_metric = {}
        for metric, table in tables.items():
            places = [table.arms.index(arm) for arm in weights]
            working = np.all(table.works[places] == 1.0, axis=0)
            values = np.array(list(weights.values())) @ table.values[places][:, working]
            seeds = [int(seed) for seed, works in zip(table.seeds, working, strict=True) if works]
            by_metric[metric] = _described(values[np.isfinite(values)], metric) | {"seeds": seeds}
        described.append(
            {
                "label": contrast_label(verdict),
                "dataset": verdict.dataset,
                "weights": [[arm, float(weight)] for arm, weight in weights.items()],
                "metrics": by_metric,
            }
        )
    return described


def _described(values: NDArray[np.float64], metric: str) -> Columns:
    from analysis.tables.arm_tables import mean_interval

    cell = mean_interval(values)
    centre = _printed([cell.mean, cell.low, cell.high], metric)
    return {"centre": centre, "dots": _printed(values, metric)}


def _printed(values: Sequence[float] | NDArray[np.float64] | pd.Series[float], metric: str) -> list[float | None]:
    numbers = np.asarray(values, dtype=np.float64)
    if scale(metric) == 100.0:
        return [None if math.isnan(one) else one for one in np.round(100.0 * numbers, 2).tolist()]
    return _rounded(numbers)


def _rounded(values: Sequence[float] | NDArray[np.float64] | pd.Series[float]) -> list[float | None]:
    """Return numbers of four digits; None for what is not finite, which JSON cannot say."""
    numbers = np.asarray(values, dtype=np.float64).tolist()
    return [float(f"{one:.4g}") if math.isfinite(one) else None for one in numbers]
