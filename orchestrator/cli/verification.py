"""`orchestrate verify`: train a sample of a study's complete trials again, each alone, and compare with the ledger."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pandas as pd

from orchestrator import discovery
from orchestrator.errors import RequestError
from orchestrator.executors.worker import reports
from orchestrator.ledger import Ledger
from orchestrator.trial import Bundle, BundleTask, SeedBlock, TrialOutcome, TrialSpec, TrialState

__all__ = ["verify"]


def verify(name: str, results: Path, sample: int, trial_id: str, plugins: tuple[str, ...]) -> dict[str, Any]:
    """Return how many trials came out equal, and what differs where.

    On a CPU at one thread the same code gives the same bits; a row that another version of the code, of torch or
    another processor wrote may differ, and is then named with those facts.

    Raises:
        RequestError: the study has no complete trial here, or the one that was named is not among them.
    """
    with Ledger(results) as ledger:
        _, plan = ledger.read_study(name)
        rows = ledger.trials()
    wanted = set(plan["trial_id"].to_pylist())
    own = rows[rows["trial_id"].isin(wanted) & (rows["state"] == "complete")] if len(rows) else rows
    if trial_id:
        own = own[own["trial_id"].str.startswith(trial_id)]
    if not len(own):
        asked = f"trial {trial_id!r}" if trial_id else "any complete trial"
        raise RequestError(f"study {name!r} has not {asked} in {str(results)!r}; run it first: orchestrate run {name}")
    chosen = random.Random(0).sample(range(len(own)), min(sample, len(own)))
    differ = []
    for place in chosen:
        row = own.iloc[place]
        says = _difference(row, plugins)
        if says:
            differ.append({"trial_id": row["trial_id"], "says": says})
    return {"study": name, "n_trials": len(chosen), "n_equal": len(chosen) - len(differ), "differ": differ}


def spec_of(row: pd.Series[Any]) -> TrialSpec:
    """Return the spec that a row of the ledger's trials table was trained from."""
    return TrialSpec(
        method=row["method"],
        method_version=int(row["method_version"]),
        config=json.loads(row["config"]),
        dataset=row["dataset"],
        dataset_digest=row["dataset_digest"],
        protocol=row["protocol"],
        seed_block=SeedBlock(row["seed_block"]),
        seed=int(row["seed"]),
        n_epochs=int(row["n_epochs"]),
    )


def _difference(row: pd.Series[Any], plugins: tuple[str, ...]) -> str:
    """Return what differs between a row and its trial trained again; empty: nothing."""
    spec = spec_of(row)
    if discovery.method(spec.method, plugins).version != spec.method_version:
        return f"version {spec.method_version} of {spec.method} is not the one installed"
    outcome = _trained(spec, plugins)
    if outcome.state is not TrialState.COMPLETE:
        return f"trained again it {outcome.state} ({outcome.failure_kind})"
    found = []
    for metric, value in outcome.metrics.items():
        before = row.get(f"metric.{metric}", math.nan)
        if not (before == value or (math.isnan(before) and math.isnan(value))):
            found.append(f"{metric} {before!r} -> {value!r}")
    return "; ".join(found)


def _trained(spec: TrialSpec, plugins: tuple[str, ...]) -> TrialOutcome:
    task = BundleTask(bundle=Bundle((spec,)), plugins=plugins)
    outcomes = [outcome for report in reports(task, None, lambda: False) for outcome in report.outcomes]
    return outcomes[-1]
