"""What must be equal, or sound, whatever was killed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from kill_rig.drivers import STUDY

from orchestrator.ledger import Ledger

VOLATILE = {"started_at", "finished_at", "bundle_id", "bundle_size", "git_commit"}


COST = "The last run trained"
"""How the remark on price and cost begins, which differs from run to run."""


@dataclass
class View:
    """What must be equal whatever was killed: the read view without costs and moments, and what the search was told."""

    trials: pd.DataFrame
    epochs: pd.DataFrame
    history: list[Any] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, results: Path, out: Path | None = None) -> View:
        """Read it; `out` holds what a run that ended printed."""
        with Ledger(results) as ledger:
            trials, epochs = ledger.trials(), ledger.epochs()
            record = ledger.studies.read(STUDY)[0] if STUDY in ledger.studies.names() else {}
        kept = [name for name in trials.columns if name not in VOLATILE and not name.startswith("cost.")]
        trials = trials[kept].sort_values("trial_id", ignore_index=True)
        trials["error"] = trials["error"].str.strip().str.rsplit("\n").str[-1]  # line numbers of tracebacks may differ
        epochs = epochs.drop(columns="seconds").sort_values(["trial_id", "epoch"], ignore_index=True)
        history = [search["history"] for search in record.get("searches", [])]
        return cls(trials, epochs, history, _verdicts(out))

    def require_equal(self, other: View) -> None:
        """Raise AssertionError with the first difference, bit for bit."""
        _require_same(self.trials, other.trials)
        _require_same(self.epochs, other.epochs)
        assert self.history == other.history, "the search was told something else"
        assert self.verdicts == other.verdicts, (self.verdicts, other.verdicts)

    def require_part_of(self, other: View) -> None:
        """Raise AssertionError unless every row is one of `other`, bit for bit."""
        known = other.trials["trial_id"].isin(self.trials["trial_id"])
        _require_same(self.trials, other.trials[known].reset_index(drop=True))
        known = other.epochs["trial_id"].isin(self.trials["trial_id"])
        _require_same(self.epochs, other.epochs[known].reset_index(drop=True))


def _require_same(mine: pd.DataFrame, other: pd.DataFrame) -> None:
    names = [name for name in other.columns if name in mine.columns or other[name].notna().any()]
    if len(mine) or len(other):
        pd.testing.assert_frame_equal(mine.reindex(columns=names), other[names], check_exact=True, check_dtype=False)


def _verdicts(out: Path | None) -> list[str]:
    if out is None:
        return []
    answer = json.loads(out.read_text()[out.read_text().index("{") :].splitlines()[0])
    remarks = [remark for remark in answer["remarks"] if not remark.startswith(COST)]
    return [*answer["sentences"], *remarks, answer["tally"]]


def require_sound(results: Path, quiet: View, complete_before: set[str]) -> set[str]:
    """Check a results folder after a kill; return the trials that are complete in it.

    Nothing broken, no trial twice in the read view, none trained again, none lost that was complete, every row
    that of the quiet run, and no value told to the search that the ledger does not have.
    """
    ledger = Ledger(results)
    assert ledger.doctor.problems() == []
    rows, every = ledger.trials(), ledger.trials(view=False)
    assert not rows["trial_id"].duplicated().any()
    finished = every[every["state"] == "complete"]
    assert not finished["trial_id"].duplicated().any(), "a complete trial was trained again"
    complete = set(finished["trial_id"])
    assert complete_before <= complete, f"lost: {complete_before - complete}"
    if len(rows):
        View.of(results).require_part_of(quiet)
    _require_told_is_known(ledger, rows)
    return complete


def _require_told_is_known(ledger: Ledger, rows: pd.DataFrame) -> None:
    if STUDY not in ledger.studies.names():
        return
    known = rows.set_index("trial_id")
    for search in ledger.studies.read(STUDY)[0].get("searches", []):
        for entry in search["history"]:
            if entry["objective"] is not None:
                told = known.loc[entry["trial_ids"], "metric.neighbour_mi"].mean()
                assert abs(told - entry["objective"][0]) < 1e-12, entry
