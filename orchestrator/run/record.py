"""The record of a study beside the ledger: study.json and plan.parquet (their fields: `orchestrator.study`)."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from orchestrator import discovery
from orchestrator.errors import RequestError
from orchestrator.plan.planning import Catalogue, PlannedTrial, contrasts
from orchestrator.provenance import git_commit, versions
from orchestrator.search.phase import ConfirmPhase, SearchPhase
from orchestrator.study import LOCAL, Study, UntilDecided

__all__ = ["chosen_of", "early_look", "first_plan", "plan_table", "study_json", "with_look"]

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


def study_json(
    study: Study, searches: Sequence[SearchPhase], confirm: ConfirmPhase, earlier: Mapping[str, Any]
) -> dict[str, Any]:
    """Return study.json; `earlier` is the one that it replaces (its looks stay: every look is remembered)."""
    arms = confirm.arms
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "schema_version": SCHEMA_VERSION,
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
        "chance": {dataset: _chance(study, dataset, confirm.catalogue) for dataset in study.datasets},
        "datasets": list(study.datasets),
        "protocol": study.protocol,
        "precision": study.precision,
        "n_epochs": study.n_epochs,
        "failure_budget": study.failure_budget,
        "seeds": _seeds(study, confirm.n_seeds, earlier.get("seeds", {})),
        "looks_taken": list(earlier.get("looks_taken", [])),
        "arms": [
            {
                "name": arm.name,
                "method": arm.arm.method,
                "dataset": arm.dataset,
                "values": dict(arm.arm.values),
                "role": arm.arm.role,
                "factor": arm.arm.factor,
                "level": arm.arm.level,
                "design": arm.design,
            }
            for arm in arms
        ],
        "contrasts": [
            {
                "name": contrast.name,
                "kind": contrast.kind,
                "factor": contrast.factor,
                "level": contrast.level,
                "dataset": dataset,
                "weights": dict(contrast.weights),
            }
            for contrast, dataset in contrasts(study, arms)
        ],
        "searches": [search.record() for search in searches],
        "created_at": earlier.get("created_at", now),
        "command": _command(study),
        "versions": versions(),
        "git_commit": git_commit(),
    }


def _seeds(study: Study, n_seeds: int, earlier: Mapping[str, Any]) -> dict[str, Any]:
    """Return the seeds of the record: the first plan stays, whatever the study file says by now."""
    plan = {
        "looks": list(study.planned_looks) if isinstance(study.seeds, UntilDecided) else None,
        "planned": list(study.planned_looks),
    }
    if earlier.get("planned"):
        plan = {name: earlier.get(name) for name in plan}
    return {"block": "confirm", "seeds": list(range(n_seeds)), **plan, "file": list(study.planned_looks)}


def _command(study: Study) -> str:
    tier = ["--tier", study.tier] if study.tier != LOCAL else []
    settings = [word for setting in study.settings for word in ("--set", setting)]
    return shlex.join(["orchestrate", "run", study.name, *tier, *settings])


def _chance(study: Study, dataset: str, catalogue: Catalogue) -> dict[str, float]:
    found = catalogue.dataset(dataset, study.protocol)
    levels: dict[str, float] = discovery.scoring().chance_levels(found.eval_labels, found.n_classes, catalogue.plugins)
    return levels


def first_plan(record: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the numbers of confirm seeds at which the study file said, when the study first ran, that one looks."""
    seeds = record.get("seeds", {})
    return tuple(int(n) for n in seeds.get("planned") or seeds.get("looks") or ())


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
