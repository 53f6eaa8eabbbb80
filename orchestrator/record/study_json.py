"""What study.json and plan.parquet hold, made of a plan and of where its run stands."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from orchestrator.dataset_name import recorded
from orchestrator.errors import RequestError
from orchestrator.ledger import Ledger
from orchestrator.own.declared import declaration_of
from orchestrator.plan.arms import PlannedArm, PlannedContrast
from orchestrator.plan.nothing_to_do import plan_key
from orchestrator.plan.plan import Plan
from orchestrator.plan.trials import PlannedTrial
from orchestrator.provenance import git_commit, versions
from orchestrator.record.looks import first_plan, with_look
from orchestrator.record.source_file import require_own_record, source_of
from orchestrator.study import LOCAL, Study, UntilDecided

__all__ = ["Standing", "chosen_of", "earlier_record", "require_own_file", "study_json", "write_record"]

SCHEMA_VERSION = 1

PLAN_SCHEMA = pa.schema(
    [
        ("trial_id", pa.string()),
        ("arm", pa.string()),
        ("factor", pa.string()),
        ("level", pa.string()),
        ("role", pa.string()),
        ("phase", pa.string()),
        ("dataset", pa.string()),
        ("method", pa.string()),
        ("seed_block", pa.string()),
        ("seed", pa.int64()),
        ("configuration", pa.int64()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a run of a study stands, as far as its record goes."""

    plan: Plan
    """With what searches have chosen so far."""
    begun: Sequence[str]
    """Datasets whose arms are known."""
    n_seeds: int
    """Confirm seeds that have been asked for."""
    planned: Sequence[PlannedTrial]
    """Trials that have been asked for."""
    searches: Sequence[Mapping[str, Any]]
    """Entries of the searches."""
    finished: bool
    """Whether nothing more will be asked for."""
    equivalence: Mapping[str, Any] = field(default_factory=dict)
    """What is known of members trained again alone."""


def _plan_table(planned: Sequence[PlannedTrial]) -> pa.Table:
    """Return plan.parquet: one row per trial that the study asks for."""
    return pa.Table.from_pylist([trial.row() for trial in planned], schema=PLAN_SCHEMA)


def earlier_record(ledger: Ledger, key: str) -> Mapping[str, Any]:
    """Return the record that a results folder has of a study; empty: it has none."""
    return ledger.studies.read(key)[0] if key in ledger.studies.names() else {}


def write_record(
    ledger: Ledger, standing: Standing, plugins: Sequence[str], spent: Mapping[str, Any] | None = None
) -> None:
    """Write study.json and plan.parquet as they stand; when all is done, the look that was taken goes in.

    Args:
        ledger: open for writing.
        standing: where the run stands.
        plugins: folders with a user's own methods and datasets.
        spent: the entry of a run that has ended (see `price.worker_seconds`); None: it is under way.
    """
    study = standing.plan.study
    earlier = earlier_record(ledger, study.key)
    record = study_json(standing, earlier, plugins)
    source = require_own_file(study, ledger)
    if source or earlier.get("source"):
        record["source"] = source or earlier["source"]
    files = recorded(study.datasets, ledger.folder)
    if files or earlier.get("data_files"):
        record["data_files"] = {**earlier.get("data_files", {}), **files}
    record["equivalence"] = standing.equivalence
    record["runs"] = list(earlier.get("runs", ()))
    if spent is not None:
        record["runs"].append(spent)
    if standing.finished:
        looks = sorted({*study.looks, standing.n_seeds})
        for look in looks[: looks.index(standing.n_seeds) + 1]:
            record = with_look(record, look)
        record["finished_key"] = plan_key(study, plugins)
    ledger.studies.write(study.key, record, _plan_table(standing.planned))


def require_own_file(study: Study, ledger: Ledger) -> dict[str, str] | None:
    """Return what the record says of the study's file; refuse a study whose record is that of another file.

    Raises:
        RequestError: names both files.
    """
    source = source_of(study.file, ledger.folder)
    require_own_record(earlier_record(ledger, study.key), source, ledger.folder, study.key)
    return source


def study_json(standing: Standing, earlier: Mapping[str, Any], plugins: Sequence[str] = ()) -> dict[str, Any]:
    """Return study.json; `earlier` is the one that it replaces (its looks stay: every look is remembered)."""
    plan, study = standing.plan, standing.plan.study
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "schema_version": SCHEMA_VERSION,
        **_question(study),
        **_conditions(plan),
        "seeds": _seeds(study, standing.n_seeds, earlier),
        "looks_taken": list(earlier.get("looks_taken", [])),
        "designs": [design.described() for design in study.designs],
        "arms": [_arm(planned) for planned in plan.arms if planned.dataset in standing.begun],
        "contrasts": [_contrast(planned) for planned in plan.contrasts if planned.dataset in standing.begun],
        "searches": list(standing.searches),
        "created_at": earlier.get("created_at", now),
        "command": _command(study, plugins),
        "versions": versions(),
        "git_commit": git_commit(),
    }


def _question(study: Study) -> dict[str, Any]:
    """Return what a study asks, and by which rules it is answered."""
    return {
        "name": study.name,
        "question": study.question,
        "paper": study.paper,
        "docstring": study.docstring,
        "tier": study.tier,
        "exploratory": study.exploratory,
        "metric": study.metric,
        "metrics": study.declared_metrics,
        "declares": [method for method in study.methods if declaration_of(method) is not None],
        "alpha": study.alpha,
        "margin": study.margin,
        "beats_chance_by": study.beats_chance_by,
    }


def _conditions(plan: Plan) -> dict[str, Any]:
    """Return on what, under which protocol and with which budget a study trains."""
    study = plan.study
    chance, labelled, sought = {}, {}, {}
    for dataset in study.datasets:
        chance[dataset] = plan.catalogue.chance(dataset, study.protocol)
        facts = plan.catalogue.dataset(dataset, study.protocol)
        labelled[dataset] = [facts.n_labelled, facts.n_scored]
        sought[dataset] = [facts.n_clusters, facts.n_classes]
    return {
        "chance": chance,
        "labelled": labelled,
        "sought": sought,
        "datasets": list(study.datasets),
        "protocol": study.protocol,
        "precision": study.precision,
        "n_epochs": study.n_epochs,
        "stop": None if study.stop is None else asdict(study.stop),
        "failure_budget": study.failure_budget,
    }


def _arm(planned: PlannedArm) -> dict[str, Any]:
    return {
        "name": planned.name,
        "method": planned.arm.method,
        "dataset": planned.dataset,
        "values": dict(planned.arm.values),
        "role": planned.arm.role,
        "factor": planned.arm.factor,
        "level": planned.arm.level,
        "design": planned.design,
    }


def _contrast(planned: PlannedContrast) -> dict[str, Any]:
    contrast = planned.contrast
    return {
        "name": contrast.name,
        "kind": contrast.kind,
        "factor": contrast.factor,
        "level": contrast.level,
        "dataset": planned.dataset,
        "weights": dict(contrast.weights),
    }


def _seeds(study: Study, n_seeds: int, earlier: Mapping[str, Any]) -> dict[str, Any]:
    """Return the seeds of the record: the first plan stays, whatever the study file says by now."""
    plan = {
        "looks": list(study.planned_looks) if isinstance(study.seeds, UntilDecided) else None,
        "planned": list(study.planned_looks),
    }
    first = first_plan(earlier)
    if first:
        plan = {"looks": list(first) if len(first) > 1 else None, "planned": list(first)}
    return {"block": "confirm", "seeds": list(range(n_seeds)), **plan, "file": list(study.planned_looks)}


def _command(study: Study, plugins: Sequence[str]) -> str:
    """Return the command that trains a study, where this one was given: a study's file is no study by its name."""
    tier = ["--tier", study.tier] if study.tier != LOCAL else []
    words = ["orchestrate", "run", os.path.relpath(study.file) if study.file else study.name, *tier]
    for plugin in plugins:
        words += ["--plugin", os.path.relpath(plugin)]
    for setting in study.settings:
        words += ["--set", setting]
    return shlex.join(words)


def chosen_of(record: Mapping[str, Any], study: str, dataset: str) -> Mapping[str, Any]:
    """Return what the search of an earlier study chose on a dataset.

    Raises:
        RequestError: it has no search on this dataset, or has not chosen yet.
    """
    for search in record.get("searches", []):
        if search["dataset"] == dataset and search["chosen"] is not None:
            chosen: Mapping[str, Any] = search["chosen"]
            return chosen
    raise RequestError(f"study {study!r} has chosen nothing on {dataset!r} yet; run it first: orchestrate run {study}")
