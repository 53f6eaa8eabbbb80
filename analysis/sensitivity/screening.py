"""Screening designs of a study: its Morris and Sobol samples put back in order from the record, and their indices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.sensitivity import estimators
from orchestrator.errors import RequestError

__all__ = ["Screening", "screenings"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Screening:
    """The indices of one sample: `table` as `sensitivity.morris` or `sensitivity.sobol` returns it."""

    kind: Literal["morris", "sobol"]
    method: str
    dataset: str
    table: pd.DataFrame
    n_points: int
    n_seeds: int
    """Seeds with a value at every point: only these are in the table."""
    refused: str
    """Why there are no indices; empty otherwise."""


def screenings(study: StudyView) -> list[Screening]:
    """Return the indices of every Morris or Sobol sample among the study's arms, for the study's metric."""
    groups: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    for arm in study.record["arms"]:
        if arm.get("factor") == "sample":
            groups.setdefault((arm["method"], arm["dataset"], int(arm.get("design", 0))), []).append(arm)
    values = study_view.by_seed(study, study.metric)
    found = []
    for (method, dataset, _), arms in groups.items():
        screening = _screening(method, dataset, arms, values)
        if screening is not None:
            found.append(screening)
    return found


def _screening(
    method: str, dataset: str, arms: list[dict[str, Any]], values: dict[str, dict[int, float]]
) -> Screening | None:
    ordered = _in_order_of_sample(arms)
    if ordered is None:
        return None
    points, knobs = _levels(ordered)
    kind = kind_of(points)
    if kind is None:
        return None
    table = _seeds_by_points(ordered, values)
    complete = int(np.isfinite(table).all(axis=1).sum())
    refused, indices = "", pd.DataFrame()
    try:
        if kind == "morris":
            levels = int(np.ptp(points, axis=0).max()) + 1
            indices = estimators.morris(points, table, knobs, levels + levels % 2)
        else:
            indices = estimators.sobol(table, knobs)
    except RequestError as error:
        refused = str(error)
    return Screening(kind, method, dataset, indices, len(ordered), complete, refused)


def _in_order_of_sample(arms: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Return the arm of every row of the sample, an arm at each of its rows; None if rows are missing."""
    by_row = {}
    for arm in arms:
        for row in str(arm["level"]).split(","):
            by_row[int(row)] = arm
    if sorted(by_row) != list(range(len(by_row))):
        return None
    return [by_row[row] for row in range(len(by_row))]


def _levels(ordered: list[dict[str, Any]]) -> tuple[Floats, list[str]]:
    """Return the sample (rows, k), every value as its place among those of its knob, and the k knobs that vary."""
    columns, knobs = [], []
    for knob in ordered[0]["values"]:
        values = [arm["values"].get(knob) for arm in ordered]
        if len(set(map(str, values))) > 1:
            columns.append(pd.factorize(np.array(values), sort=True)[0])
            knobs.append(knob)
    return np.column_stack(columns).astype(np.float64), knobs


def _seeds_by_points(ordered: list[dict[str, Any]], values: dict[str, dict[int, float]]) -> Floats:
    """Return (seeds, rows) of the metric, nan where an arm has no value on a seed."""
    columns = [pd.Series(values.get(arm["name"], {}), dtype=np.float64) for arm in ordered]
    return pd.concat(columns, axis=1).sort_index().to_numpy()


def kind_of(points: Floats) -> Literal["morris", "sobol"] | None:
    """Return which design a sample (rows, k) is: trajectories that move one knob a step, or Saltelli's blocks."""
    rows, k = points.shape
    if rows % (k + 1) == 0:
        steps = (np.diff(points.reshape(-1, k + 1, k), axis=1) != 0).sum(axis=2)
        if steps.max() <= 1:
            return "morris"
    return "sobol" if rows % (k + 2) == 0 else None
