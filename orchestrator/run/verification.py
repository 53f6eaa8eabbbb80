"""`orchestrate verify`: train a sample of a study's complete trials again, each alone, and compare with the ledger."""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator import discovery
from orchestrator.dataset_name import know
from orchestrator.errors import RequestError
from orchestrator.executors.worker import reports
from orchestrator.ledger import Ledger
from orchestrator.record.source_file import file_of
from orchestrator.study import load
from orchestrator.trial import Bundle, BundleTask, SeedBlock, TrialOutcome, TrialSpec, TrialState

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Draw", "complete_rows", "declare_methods", "spec_of", "verify"]


@dataclass(frozen=True)
class Draw:
    """Which trials are trained again: a sample of the complete ones, or one by its id (or the beginning of it)."""

    sample: int = 5
    seed: int = 0
    trial_id: str = ""


def verify(name: str, results: Path, draw: Draw, plugins: tuple[str, ...]) -> dict[str, Any]:
    """Return how many trials of a study (of all studies, if `name` is empty) came out equal, and what differs where.

    On a CPU at one thread the same code gives the same bits; a row that another version of the code, of torch or
    another processor wrote may differ, and is then named with those facts.

    Raises:
        RequestError: the study has no complete trial here, or the one that was named is not among them.
    """
    own = complete_rows(name, results)
    if draw.trial_id:
        own = own[own["trial_id"].str.startswith(draw.trial_id)]
    if not len(own):
        asked = f"trial {draw.trial_id!r}" if draw.trial_id else "any complete trial"
        who, run = (f"study {name!r}", name) if name else ("no study", "--all")
        has = "has not" if name else "has"
        raise RequestError(f"{who} {has} {asked} in {str(results)!r}; run it first: orchestrate run {run}")
    declare_methods(name, results)
    chosen = random.Random(draw.seed).sample(range(len(own)), min(draw.sample, len(own)))
    differ = []
    for place in chosen:
        row = own.iloc[place]
        says = _difference(row, plugins)
        if says:
            differ.append({"trial_id": row["trial_id"], "says": says})
    return {
        "study": name or "all studies",
        "n_trials": len(chosen),
        "n_equal": len(chosen) - len(differ),
        "differ": differ,
    }


def declare_methods(name: str, results: Path) -> None:
    """Have the methods known that the files of a study (of all studies) declare, as far as those files are there."""
    with Ledger(results) as ledger:
        records = [ledger.studies.read(one)[0] for one in ([name] if name else ledger.studies.names())]
    for record in records:
        if record.get("declares"):
            file = file_of(record.get("source"), results)
            if file is None:
                raise RequestError(
                    f"study {record['name']!r} declares its method in {record['source']['path']!r}, seen from "
                    f"{str(results)!r}; it is not there any more"
                )
            load(str(file))


def complete_rows(name: str, results: Path) -> pd.DataFrame:
    """Return the complete trials that a study, or any study, asks for; by id, so that a seed draws the same anywhere.

    Raises:
        UnknownNameError: no such study in this folder.
    """
    with Ledger(results) as ledger:
        wanted: set[str] = set()
        for study in [name] if name else ledger.studies.names():
            record, plan = ledger.studies.read(study)
            know(record.get("data_files", {}), results, discovery.names("dataset"))
            wanted.update(plan["trial_id"].to_pylist())
        rows = ledger.trials()
    if rows.empty:
        return rows
    own = rows[rows["trial_id"].isin(wanted) & (rows["state"] == "complete")]
    return own.sort_values("trial_id")


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
        precision=row["precision"],
        stop=stop if isinstance(stop := row.get("stop"), str) else "",
        declaration=declaration if isinstance(declaration := row.get("declaration"), str) else "",
    )


def _difference(row: pd.Series[Any], plugins: tuple[str, ...]) -> str:
    """Return what differs between a row and its trial trained again; empty: nothing."""
    spec = spec_of(row)
    own = discovery.declared(spec.method, plugins)
    if own is not None and own.identity != spec.declaration:
        return f"what its study's file asks of {spec.method}, or its data, has changed since"
    spec = spec if own is None else replace(spec, method=own.named)
    tolerance = 0.0 if own is None else own.tolerance
    if discovery.method(spec.method, plugins).version != spec.method_version:
        return f"version {spec.method_version} of {spec.method} is not the one installed"
    outcome = _trained(spec, plugins)
    if outcome.state is not TrialState.COMPLETE:
        return f"trained again it {outcome.state} ({outcome.failure_kind})"
    found = []
    for metric, value in outcome.metrics.items():
        before = row.get(f"metric.{metric}", math.nan)
        near = math.isclose(before, value, rel_tol=tolerance, abs_tol=tolerance)
        if not (near or (math.isnan(before) and math.isnan(value))):
            found.append(f"{metric} {float(before)!r} -> {float(value)!r}")
    return "; ".join(found)


def _trained(spec: TrialSpec, plugins: tuple[str, ...]) -> TrialOutcome:
    task = BundleTask(bundle=Bundle((spec,)), plugins=plugins)
    outcomes: list[TrialOutcome] = []
    for report in reports(task, None, lambda: False):
        outcomes += report.outcomes
    return outcomes[-1]
