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
from orchestrator.inference.arm_seed_values import ArmSeedValues
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
    arms = _arms(study)
    place = dict(zip(arms, range(len(arms)), strict=True))
    configs, config_of = _configs(rows)
    errors, error_of = _errors(rows)
    return {
        "arms": list(arms.values()),
        "metrics": list(map(_metric, _ordered(metrics, study.metric))),
        "again": commands_again(study.name, str(study.record.get("command", ""))),
        "id": rows["trial_id"].astype(str).tolist(),
        "arm": rows["arm"].astype(str).map(place).tolist(),
        "seed": rows["seed"].astype(int).tolist(),
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


def _arms(study: StudyView) -> dict[str, Columns]:
    """Return every arm by name: those of the record, then those that only trials have."""
    found: dict[str, Columns] = {}
    for arm in study.record["arms"]:
        facts = {"role": arm.get("role", ""), "dataset": arm.get("dataset", ""), "method": arm.get("method", "")}
        name = str(arm["name"])
        found[name] = {"name": name, **{fact: str(value) for fact, value in facts.items()}}
    for name in map(str, study.rows["arm"]):
        found.setdefault(name, {"name": name, "role": "", "dataset": "", "method": ""})
    return found


def _ordered(metrics: Sequence[str], own: str) -> list[str]:
    """Return the metrics, the study's own first and then those of `FIRST_METRICS`."""
    order = [own, *FIRST_METRICS]
    return sorted(dict.fromkeys(metrics), key=lambda metric: order.index(metric) if metric in order else len(order))


def _metric(metric: str) -> Columns:
    return {"key": metric, "name": name(metric), "label": label(metric), "percent": scale(metric) == 100.0}


def _texts(rows: pd.DataFrame, column: str) -> list[str]:
    """Return a column of texts, empty where it holds none."""
    if column not in rows:
        return [""] * len(rows)
    return [text if isinstance(text, str) else "" for text in rows[column]]


def _configs(rows: pd.DataFrame) -> tuple[Columns, list[int]]:
    """Return distinct configs, as what those of a method have in common and what each has of its own; and whose."""
    place: dict[tuple[str, str], int] = {}
    which = []
    by_method: dict[str, list[Columns]] = {}
    configs = []
    for method, text in zip(rows["method"].astype(str), _texts(rows, "config"), strict=True):
        of_method = by_method.setdefault(method, [])
        if text and (method, text) not in place:
            place[method, text] = len(place)
            values = json.loads(text)
            of_method.append(values)
            configs.append((method, values))
        which.append(place.get((method, text), -1))
    common = {method: _common(by_method[method]) for method in sorted(by_method)}
    own_parts = []
    for method, values in configs:
        own = {knob: value for knob, value in values.items() if common[method].get(knob, values) != value}
        own_parts.append({"method": method, "own": own})
    return {"common": common, "own": own_parts}, which


def _common(configs: Sequence[Mapping[str, Any]]) -> Columns:
    """Return each knob's most frequent value; of several the one that comes first."""
    texts: dict[str, Counter[str]] = {}
    for config in configs:
        for knob, value in config.items():
            texts.setdefault(knob, Counter())[json.dumps(value)] += 1
    return {knob: json.loads(counts.most_common(1)[0][0]) for knob, counts in texts.items()}


def _errors(rows: pd.DataFrame) -> tuple[list[str], list[int]]:
    """Return the ends of distinct errors, the first `MOST_ERRORS`, and which one each trial has (-1: none of them)."""
    place: dict[str, int] = {}
    which = []
    for whole in _texts(rows, "error"):
        text = whole.strip()[-ERROR_LETTERS:]
        if text and len(place) < MOST_ERRORS:
            place.setdefault(text, len(place))
        which.append(place.get(text, -1))
    return list(place), which


def curve_data(study: StudyView, epochs: pd.DataFrame) -> Columns:
    """Return the curves of all trials: ids, epochs, of how many, and per metric one list of values a trial."""
    if epochs.empty:
        return {"ids": [], "epochs": [], "of": 0, "values": {}}
    once = epochs.drop_duplicates(["trial_id", "epoch"])
    tables = {}
    measured: set[int] = set()
    for metric in dict.fromkeys((study.metric, *FIRST_METRICS)):
        if f"metric.{metric}" not in once:
            continue
        table = once.pivot(index="trial_id", columns="epoch", values=f"metric.{metric}").dropna(axis=1, how="all")
        if table.shape[1] > 2:
            tables[metric] = table
            measured.update(map(int, table.columns))
    if not tables:
        return {"ids": [], "epochs": [], "of": 0, "values": {}}
    ids = once["trial_id"].drop_duplicates().astype(str).tolist()
    kept = _kept(sorted(measured), len(ids) * len(tables))
    values = {}
    for metric, table in tables.items():
        lines = table.reindex(index=ids, columns=kept).to_numpy(dtype=np.float64)
        values[metric] = [_printed(line, metric) for line in lines]
    return {"ids": ids, "epochs": kept, "of": len(measured), "values": values}


def _kept(epochs: Sequence[int], n_curves: int) -> list[int]:
    """Return the epochs that are kept: all, or as many as fit, evenly, the first and the last among them."""
    most = max(5, MOST_NUMBERS // max(1, n_curves))
    if len(epochs) <= most:
        return list(epochs)
    places = np.unique(np.linspace(0, len(epochs) - 1, most).round().astype(int))
    kept: list[int] = np.asarray(epochs)[places].tolist()
    return kept


def contrast_data(study: StudyView, found: Sequence[Verdict]) -> list[Columns]:
    """Return every contrast with its arms, and its differences in every metric that is shown beside the study's own.

    In other metrics differences are described: means with t intervals over the seeds on which all its arms work.
    """
    metrics = _ordered(study_view.metrics_of(study_view.confirm_rows(study)), study.metric)
    tables = {metric: study_view.arm_seed_values(study, metric) for metric in metrics}
    described = []
    for verdict in found:
        weights = verdict.contrast.weights
        described.append(
            {
                "label": contrast_label(verdict),
                "dataset": verdict.dataset,
                "weights": [[arm, float(weight)] for arm, weight in weights.items()],
                "metrics": {metric: _differences(table, weights, metric) for metric, table in tables.items()},
            }
        )
    return described


def _differences(table: ArmSeedValues, weights: Mapping[str, float], metric: str) -> Columns:
    """Return the differences on the seeds on which all arms of a contrast work, and their mean with its interval."""
    from analysis.tables.arm_tables import mean_interval

    places = list(map(table.arms.index, weights))
    working = np.all(table.works[places] == 1.0, axis=0)
    values = np.array(list(weights.values())) @ table.values[places][:, working]
    values = values[np.isfinite(values)]
    cell = mean_interval(values)
    return {
        "centre": _printed([cell.mean, cell.low, cell.high], metric),
        "dots": _printed(values, metric),
        "seeds": np.asarray(table.seeds, dtype=int)[working].tolist(),
    }


def _printed(values: Sequence[float] | NDArray[np.float64] | pd.Series[float], metric: str) -> list[float | None]:
    numbers = np.asarray(values, dtype=np.float64)
    if scale(metric) == 100.0:
        return [None if math.isnan(one) else one for one in np.round(100.0 * numbers, 2).tolist()]
    return _rounded(numbers)


def _rounded(values: Sequence[float] | NDArray[np.float64] | pd.Series[float]) -> list[float | None]:
    """Return numbers of four digits; None for what is not finite, which JSON cannot say."""
    numbers = np.asarray(values, dtype=np.float64).tolist()
    return [float(f"{one:.4g}") if math.isfinite(one) else None for one in numbers]
