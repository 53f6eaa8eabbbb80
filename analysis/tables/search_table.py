"""A search as a table: one row a configuration, with what its seeds said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.tables.arm_tables import mean_interval

__all__ = ["search_table"]


def search_table(study: StudyView, search: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per configuration of a search, by number.

    Columns: the searched knobs by name, `objective` (mean over search seeds of the rule), `low`, `high` (its t
    interval over seeds, nan with one seed), `metric` (mean of the study's metric, looked at after the choice),
    `collapsed` (share of its complete trials), `state`, `earlier` (whether the search began from it), `chosen`.
    """
    of_record = next((place for place, one in enumerate(study.record.get("searches", ())) if one is search), None)
    if of_record is None:
        return _search_table(study, search)
    return study.once(("search_table", of_record), lambda: _search_table(study, search))


def _search_table(study: StudyView, search: Mapping[str, Any]) -> pd.DataFrame:
    rows = study_view.search_rows(study, search)
    rule = str(search["rules"][0]).removeprefix("oracle_")
    read = {"configuration", "collapsed", f"metric.{rule}", f"metric.{study.metric}"}  # of some 150 columns
    narrow = rows.loc[rows["state"] == "complete", [column for column in rows if column in read]]
    complete = {number: group for number, group in narrow.groupby("configuration")}
    lines = []
    for entry in search["history"]:
        own = complete.get(entry["number"])
        objective = mean_interval(_column(own, f"metric.{rule}"))
        lines.append(
            {
                "number": entry["number"],
                **{knob: entry["values"].get(knob) for knob in search["space"]},
                "objective": entry["objective"][0] if entry.get("objective") else math.nan,
                "low": objective.low,
                "high": objective.high,
                "metric": mean_interval(_column(own, f"metric.{study.metric}")).mean,
                "collapsed": math.nan if own is None else float(own["collapsed"].mean()),
                "state": entry["state"],
                "earlier": bool(entry.get("warm_start")),
                "chosen": entry["number"] == search.get("chosen_number"),
            }
        )
    return pd.DataFrame(lines).set_index("number")


def _column(rows: pd.DataFrame | None, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([]) if rows is None or name not in rows else rows[name].dropna().to_numpy(dtype=np.float64)
