"""The record of a study beside the ledger: study.json and plan.parquet (their fields: `orchestrator.study`)."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from orchestrator.errors import RequestError
from orchestrator.inference import sequential
from orchestrator.ledger import Ledger
from orchestrator.plan.arms import PlannedArm, PlannedContrast
from orchestrator.plan.nothing_to_do import plan_key
from orchestrator.plan.trials import PlannedTrial
from orchestrator.provenance import git_commit, versions
from orchestrator.run.study_source import require_own_record, source_of
from orchestrator.study import LOCAL, Study, UntilDecided

if TYPE_CHECKING:
    from orchestrator.run.schedule import Schedule

__all__ = [
    "chosen_of",
    "earlier_record",
    "early_look",
    "first_plan",
    "plan_table",
    "require_own_file",
    "study_json",
    "with_look",
    "write_record",
]

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


def plan_table(planned: Sequence[PlannedTrial]) -> pa.Table:
    """Return plan.parquet: one row per trial that the study asks for."""
    return pa.Table.from_pylist([trial.row() for trial in planned], schema=PLAN_SCHEMA)


def earlier_record(ledger: Ledger, key: str) -> Mapping[str, Any]:
    """Return the record that a results folder has of a study; empty: it has none."""
    return ledger.read_study(key)[0] if key in ledger.study_names() else {}


def write_record(
    ledger: Ledger,
    schedule: Schedule,
    plugins: Sequence[str],
    equivalence: Mapping[str, Any],
    spent: Mapping[str, Any] | None,
) -> None:
    """Write study.json and plan.parquet as they stand; when all is done, the look that was taken goes in.

    Args:
        ledger: open for writing.
        schedule: of the run.
        plugins: folders with a user's own methods and datasets.
        equivalence: what is known of members trained again alone.
        spent: the entry of a run that has ended (see `worker_seconds`); None: it is under way.
    """
    study = schedule.plan.study
    earlier = earlier_record(ledger, study.key)
    record = study_json(schedule, earlier)
    source = require_own_file(study, ledger)
    if source or earlier.get("source"):
        record["source"] = source or earlier["source"]
    record["equivalence"] = equivalence
    record["runs"] = [*earlier.get("runs", ()), *([] if spent is None else [spent])]
    if schedule.finished:
        n_seeds = len(record["seeds"]["seeds"])
        for look in [*(look for look in study.looks if look < n_seeds), n_seeds]:
            record = with_look(record, look)
        record["finished_key"] = plan_key(study, plugins)
    ledger.write_study(study.key, record, plan_table(schedule.planned))


def require_own_file(study: Study, ledger: Ledger) -> dict[str, str] | None:
    """Return what the record says of the study's file; refuse a study whose record is that of another file.

    Raises:
        RequestError: names both files.
    """
    source = source_of(study.file, ledger.folder)
    require_own_record(earlier_record(ledger, study.key), source, ledger.folder, study.key)
    return source


def study_json(schedule: Schedule, earlier: Mapping[str, Any]) -> dict[str, Any]:
    """Return study.json; `earlier` is the one that it replaces (its looks stay: every look is remembered)."""
    plan, begun = schedule.plan, schedule.confirmation.begun
    study = plan.study
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "schema_version": SCHEMA_VERSION,
        **_question(study),
        "chance": {dataset: plan.catalogue.chance(dataset, study.protocol) for dataset in study.datasets},
        "datasets": list(study.datasets),
        "protocol": study.protocol,
        "precision": study.precision,
        "n_epochs": study.n_epochs,
        "stop": None if study.stop is None else asdict(study.stop),
        "failure_budget": study.failure_budget,
        "seeds": _seeds(study, schedule.confirmation.n_seeds, earlier),
        "looks_taken": list(earlier.get("looks_taken", [])),
        "designs": [design.described() for design in study.designs],
        "arms": [_arm(planned) for planned in plan.arms if planned.dataset in begun],
        "contrasts": [_contrast(planned) for planned in plan.contrasts if planned.dataset in begun],
        "searches": [phase.record() for phase in schedule.searches],
        "created_at": earlier.get("created_at", now),
        "command": _command(study),
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
        "alpha": study.alpha,
        "margin": study.margin,
        "beats_chance_by": study.beats_chance_by,
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


def _command(study: Study) -> str:
    tier = ["--tier", study.tier] if study.tier != LOCAL else []
    settings = [word for setting in study.settings for word in ("--set", setting)]
    return shlex.join(["orchestrate", "run", study.name, *tier, *settings])


def first_plan(record: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the numbers of confirm seeds at which the study file said, when the study first ran, that one looks."""
    return sequential.first_plan(record.get("seeds", {}), record.get("looks_taken", ()))


def with_look(record: Mapping[str, Any], n_seeds: int) -> dict[str, Any]:
    """Return the record with one more look at `n_seeds` confirm seeds, unless that look is already in it.

    It is planned if the first plan names it and no look was taken before that this plan does not name: whoever writes
    other numbers into the file after a look has looked by hand.
    """
    looks, plan = list(record.get("looks_taken", ())), first_plan(record)
    if n_seeds and all(look["n_seeds"] != n_seeds for look in looks):
        at = datetime.now(UTC).isoformat(timespec="seconds")
        planned = n_seeds in plan and all(look["n_seeds"] in plan for look in looks)
        looks.append({"at": at, "n_seeds": n_seeds, "planned": planned})
    return {**record, "looks_taken": looks}


def early_look(record: Mapping[str, Any], n_seeds: int) -> dict[str, Any] | None:
    """Return the look that a report at `n_seeds` seeds of a study under way is; None if it was taken before."""
    before = list(record.get("looks_taken", ()))
    taken = with_look(record, n_seeds)["looks_taken"]
    return dict(taken[-1]) if len(taken) > len(before) else None


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
