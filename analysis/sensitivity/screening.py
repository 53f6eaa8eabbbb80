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
    found = (_screening(method, dataset, arms, values) for (method, dataset, _), arms in groups.items())
    return [one for one in found if one is not None]


def _screening(
    method: str, dataset: str, arms: list[dict[str, Any]], values: dict[str, dict[int, float]]
) -> Screening | None:
    by_row = {int(row): arm for arm in arms for row in str(arm["level"]).split(",")}
    if sorted(by_row) != list(range(len(by_row))):
        return None
    ordered = [by_row[row] for row in range(len(by_row))]
    knobs = [knob for knob in ordered[0]["values"] if len({str(arm["values"].get(knob)) for arm in ordered}) > 1]
    points = np.column_stack(
        [pd.factorize(np.array([arm["values"][knob] for arm in ordered]), sort=True)[0] for knob in knobs]
    )
    kind = kind_of(points.astype(np.float64))
    if kind is None:
        return None
    seeds = sorted({seed for arm in ordered for seed in values.get(arm["name"], {})})
    table = np.array([[values.get(arm["name"], {}).get(seed, np.nan) for arm in ordered] for seed in seeds])
    complete = int(np.isfinite(table).all(axis=1).sum()) if seeds else 0
    refused, indices = "", pd.DataFrame()
    try:
        if kind == "morris":
            levels = max(len(set(column)) for column in points.T)
            indices = estimators.morris(points.astype(np.float64), table, knobs, levels + levels % 2)
        else:
            indices = estimators.sobol(table, knobs)
    except RequestError as error:
        refused = str(error)
    return Screening(kind, method, dataset, indices, len(ordered), complete, refused)


def kind_of(points: Floats) -> Literal["morris", "sobol"] | None:
    """Return which design a sample (rows, k) is: trajectories that move one knob a step, or Saltelli's blocks."""
    rows, k = points.shape
    if rows % (k + 1) == 0:
        steps = (np.diff(points.reshape(-1, k + 1, k), axis=1) != 0).sum(axis=2)
        if steps.max() <= 1:
            return "morris"
    return "sobol" if rows % (k + 2) == 0 else None
