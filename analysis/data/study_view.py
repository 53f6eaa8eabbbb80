"""A study's view: its plan joined with the ledger, with what is missing, failed or collapsed named (no statistics)."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from analysis.data.knob_values import with_values_as_text
from analysis.data.places import COMMITTED, place_for
from orchestrator import discovery
from orchestrator.dataset_name import know
from orchestrator.inference.arm_seed_values import ArmSeedValues, Outcome
from orchestrator.ledger import Ledger
from orchestrator.ledger.studies import whole_study
from orchestrator.trial import stages_of

__all__ = [
    "COMMITTED",
    "StudyView",
    "arm_seed_values",
    "arm_table",
    "by_seed",
    "confirm_rows",
    "drawn_stages",
    "epochs_of",
    "load",
    "load_all",
    "metrics_of",
    "place_for",
    "search_rows",
    "view",
]

Made = TypeVar("Made")

MISSING = "missing"
"""State of a planned trial of which the ledger has no attempt."""


@dataclass(frozen=True)
class StudyView:
    """What a study asked for and what the ledger knows of it.

    `rows` has one row per trial that the plan names (an arm's seed), in plan order: the plan's columns, then the
    ledger's; `state` is `missing` where the ledger has no attempt, and `collapsed` is False there. Nobody changes a
    view or its rows: what is made of them is made once (`once`).
    """

    name: str
    results: Path
    record: Mapping[str, Any]
    """`study.json`; its fields are listed in `orchestrator.study`."""
    rows: pd.DataFrame
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, what: Hashable, make: Callable[[], Made]) -> Made:
        """Return what `make` makes of this view; the second time it is the same object, which nobody may change."""
        if what not in self._made:
            self._made[what] = make()
        found: Made = self._made[what]
        return found

    @property
    def tier(self) -> str:
        """The tier whose data, networks and budgets the answer is about."""
        return str(self.record.get("tier", "local"))

    @property
    def metric(self) -> str:
        """The metric that the verdicts are about."""
        return str(self.record["metric"])


def load(results: Path, name: str) -> StudyView:
    """Read a study's record, its plan and the ledger rows that the plan names.

    Raises:
        RequestError: no such study in this folder, or a folder that cannot be read.
    """
    ledger = Ledger(results)
    record, plan = whole_study(results, name)
    return view(name, results, record, plan.to_pandas(), ledger.trials(only=plan["trial_id"].unique().to_pylist()))


def load_all(results: Path) -> list[StudyView]:
    """Read every study that was planned in a results folder, by name; the trials are read once."""
    ledger = Ledger(results)
    planned: set[str] = set()
    studies = []
    for name in ledger.studies.names():
        record, plan = whole_study(results, name)
        planned.update(plan["trial_id"].to_pylist())
        studies.append((name, record, plan.to_pandas()))
    trials = ledger.trials(only=planned)
    return [view(name, results, record, plan, trials) for name, record, plan in studies]


def view(name: str, results: Path, record: Mapping[str, Any], plan: pd.DataFrame, trials: pd.DataFrame) -> StudyView:
    """Join a plan with the ledger's read view (at most one row a trial_id)."""
    known = [column for column in trials.columns if column == "trial_id" or column not in plan.columns]
    know(record.get("data_files", {}), results, discovery.names("dataset"))
    rows = plan.merge(trials[known], on="trial_id", how="left", validate="many_to_one")
    rows["state"] = rows["state"].astype("str").where(rows["state"].notna(), MISSING)
    rows["collapsed"] = rows["collapsed"].eq(True)
    discovery.use_metrics(record.get("metrics", {}))  # what it says of numbers that no metric's file knows
    return StudyView(name, results, with_values_as_text(record), rows)


def confirm_rows(study: StudyView) -> pd.DataFrame:
    """Return the rows that verdicts are about: everything outside a search."""
    return study.once("confirm rows", lambda: study.rows[study.rows["phase"] != "search"])


def search_rows(study: StudyView, search: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows of one of the record's searches, with the number of each one's configuration."""
    searched = study.once(
        "search rows", lambda: study.rows[study.rows["phase"] == "search"].drop_duplicates("trial_id")
    )
    numbers: dict[str, int] = {}
    for entry in search["history"]:
        numbers |= dict.fromkeys(entry["trial_ids"], entry["number"])
    rows = searched[searched["trial_id"].isin(set(numbers))]
    return rows.assign(configuration=rows["trial_id"].map(numbers))


def epochs_of(study: StudyView, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the evaluations of the complete trials among `rows`, with their arm, dataset and seed.

    Columns: those of the ledger's epochs table, then arm, dataset, method, role, seed.
    """
    complete = rows.loc[rows["state"] == "complete", ["trial_id", "arm", "dataset", "method", "role", "seed"]]
    epochs = Ledger(study.results).epochs(sorted(set(complete["trial_id"])))
    return epochs.merge(complete, on="trial_id", how="inner")


def metrics_of(rows: pd.DataFrame) -> list[str]:
    """Return the names of the metrics that at least one row has."""
    columns = [column for column in rows.columns if column.startswith("metric.")]
    return [column.removeprefix("metric.") for column in columns if rows[column].notna().any()]


def arm_seed_values(study: StudyView, metric: str) -> ArmSeedValues:
    """Return what the judge takes: every arm of the record on every seed that was asked for."""
    return study.once(("arm_seed_values", metric), lambda: _arm_seed_values(study, metric))


def _arm_seed_values(study: StudyView, metric: str) -> ArmSeedValues:
    rows, outcomes = confirm_rows(study), []
    column = f"metric.{metric}"
    values = rows[column].to_numpy(dtype=np.float64).tolist() if column in rows else [math.nan] * len(rows)
    for known, value in zip(study.once("outcomes", lambda: _outcomes(rows)), values, strict=True):
        outcomes.append(Outcome(**known, value=value if known["state"] == "complete" else math.nan))
    asked = study.record.get("seeds", {}).get("seeds")
    return ArmSeedValues.of(outcomes, _arm_names(study), None if asked is None else list(map(int, asked)))


def _outcomes(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what is known of each row's outcome whatever the metric."""
    found = []
    table = rows.reindex(columns=["arm", "seed", "state", "collapsed", "failure_kind", "stages"])
    for arm, seed, state, collapsed, kind, stages in table.itertuples(index=False):
        found.append(
            {
                "arm": str(arm),
                "seed": int(seed),
                "state": str(state),
                "collapsed": bool(collapsed),
                "failure_kind": kind if isinstance(kind, str) else "",
                "drawn": tuple(f"{one.name} {one.key}" for one in stages_of(stages) if one.drawn),
            }
        )
    return found


def _arm_names(study: StudyView) -> list[str]:
    """Return the names of the record's arms, baseline first."""
    return [str(arm["name"]) for arm in study.record["arms"]]


def by_seed(study: StudyView, metric: str) -> dict[str, dict[int, float]]:
    """Return arm -> {seed: value} of complete confirm trials; what is absent from it is not complete.

    Every arm of the record is a key, so that an arm without a single complete trial is seen.
    """
    return arm_seed_values(study, metric).by_seed()


def drawn_stages(study: StudyView) -> Mapping[str, Mapping[int, Collection[str]]]:
    """Return arm -> {seed: what its complete confirm trial builds on that was made once, with a draw of its own}."""
    return arm_seed_values(study, study.metric).drawn


def arm_table(study: StudyView) -> pd.DataFrame:
    """Return one row per arm: planned, complete, collapsed, failed, pruned, missing, and the seeds without a value.

    Index: the arm's name, in the order of the record. `without` lists the seeds of the last three, in order.
    """
    rows = confirm_rows(study)
    order = _arm_names(study)
    counts = rows.groupby(["arm", "state"], observed=True).size().unstack(fill_value=0)
    counts = counts.reindex(columns=["complete", "failed", "pruned", MISSING], fill_value=0)
    counts.insert(0, "planned", counts.sum(axis=1))
    counts["collapsed"] = rows[rows["collapsed"] & (rows["state"] == "complete")].groupby("arm").size()
    table = counts.reindex(order).fillna(0).astype(int)
    absent = rows[rows["state"] != "complete"].groupby("arm")["seed"].apply(lambda seeds: sorted(map(int, seeds)))
    table["without"] = [absent.get(arm, []) for arm in order]
    return table
