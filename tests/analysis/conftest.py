"""A synthetic study in a real ledger: known effects, one collapsed arm, a failed and a missing trial, a search."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from orchestrator.ledger import Ledger
from orchestrator.trial import FailureKind, SeedBlock, TrialOutcome, TrialSpec, TrialState

NAME = "synthetic"
N_SEEDS = 12
N_EPOCHS = 10
BASE = {"loss": "reverse", "fairness_weight": 100.0, "norm_weight": 0.01, "update": "batch"}

# arm -> (knob values, factor, level, shift of the NMI, share of collapsed seeds)
ARMS: dict[str, tuple[dict[str, Any], str, str, float, float]] = {
    "baseline": ({}, "", "", 0.0, 0.0),
    "loss=forward": ({"loss": "forward"}, "loss", "forward", -0.05, 0.0),
    "fairness_weight=0": ({"fairness_weight": 0.0}, "fairness_weight", "0", -0.02, 0.5),
    "fairness_weight=10": ({"fairness_weight": 10.0}, "fairness_weight", "10", -0.012, 0.0),
    "fairness_weight=1000": ({"fairness_weight": 1000.0}, "fairness_weight", "1000", 0.006, 0.0),
    "norm_weight=0": ({"norm_weight": 0.0}, "norm_weight", "0", 0.001, 0.0),
    "update=epoch": ({"update": "epoch"}, "update", "epoch", -0.008, 0.0),
}


@dataclass(frozen=True)
class Synthetic:
    """A results folder and what was put into it."""

    results: Path
    name: str
    record: dict[str, Any]


def spec_of(values: dict[str, Any], seed: int, method: str = "entropy", dataset: str = "digits") -> TrialSpec:
    config = {**BASE, **values} if method == "entropy" else values
    return TrialSpec(
        method=method,
        method_version=1,
        config=config,
        dataset=dataset,
        dataset_digest="d",
        seed=seed,
        n_epochs=N_EPOCHS,
    )


def outcome_of(spec: TrialSpec, nmi: float, *, collapsed: bool = False) -> TrialOutcome:
    value = 0.12 if collapsed else nmi
    return TrialOutcome(
        spec=spec,
        attempt=1,
        state=TrialState.COMPLETE,
        collapsed=collapsed,
        metrics={"nmi": value, "acc": value + 0.05, "ari": value - 0.1, "neighbour_mi": 2.2 * value, "loss": 2 - value},
        cost={"seconds": 0.8, "peak_memory_bytes": 2.0e8, "gpu_seconds": 0.0},
        facts={"bundle_id": "b", "bundle_size": 8, "device": "cpu", "threads": 1, "code_digest": "c0de",
               "started_at": 1.7e9, "finished_at": 1.7e9 + 6, "git_commit": "abc", "versions": {"numpy": "2"}},
    )  # fmt: skip


def curve_of(outcome: TrialOutcome) -> list[dict[str, Any]]:
    """Ten evaluations that rise to the outcome's metrics, the best one epoch before the last."""
    wobble = np.random.default_rng(outcome.spec.seed).normal(0, 0.004, N_EPOCHS)
    shape = 1 - np.exp(-np.arange(1, N_EPOCHS + 1) / 2.0)
    rows = []
    for epoch in range(1, N_EPOCHS + 1):
        bump = 0.0 if epoch == N_EPOCHS else float(wobble[epoch - 1])
        part = float(shape[epoch - 1] / shape[-1])
        metrics = {f"metric.{name}": value * part + bump for name, value in outcome.metrics.items() if name != "loss"}
        metrics["metric.loss"] = outcome.metrics.get("loss", 0.0) + 2 * (1 - part)
        rows.append(
            {"trial_id": outcome.spec.trial_id, "attempt": 1, "epoch": epoch, "seconds": 0.08 * epoch, **metrics}
        )
    return rows


def confirm_outcomes(random: np.random.Generator, dataset: str = "digits") -> dict[str, list[TrialOutcome]]:
    shared = random.normal(0.0, 0.02, N_SEEDS)
    found: dict[str, list[TrialOutcome]] = {}
    for arm, (values, _, _, shift, share) in ARMS.items():
        own = random.normal(0.0, 0.006, N_SEEDS)
        found[arm] = [
            outcome_of(
                spec_of(values, seed, dataset=dataset),
                float(0.66 + shift + shared[seed] + own[seed]),
                collapsed=seed < share * N_SEEDS,
            )
            for seed in range(N_SEEDS)
        ]
    found["kmeans"] = [
        outcome_of(spec_of({}, seed, "kmeans", dataset), 0.742 + 0.001 * seed) for seed in range(N_SEEDS)
    ]
    broken = found["update=epoch"][3]
    found["update=epoch"][3] = replace(
        broken, state=TrialState.FAILED, failure_kind=FailureKind.DIVERGED, error="loss is NaN", metrics={}
    )
    return found


def search_outcomes(random: np.random.Generator) -> tuple[list[dict[str, Any]], list[tuple[int, TrialOutcome]]]:
    """24 configurations x 2 seeds: NMI peaks at fairness_weight 100 and hardly moves with norm_weight."""
    history, found = [], []
    for number in range(24):
        values = {
            "fairness_weight": float(10 ** random.uniform(0, 3)),
            "norm_weight": float(10 ** random.uniform(-5, -1)),
        }
        height = 0.66 - 0.08 * (np.log10(values["fairness_weight"]) - 2) ** 2
        outcomes = [
            replace(
                outcome_of(
                    spec_of(values, seed), float(height + random.normal(0, 0.01)), collapsed=bool(height < 0.42)
                ),
                spec=replace(spec_of(values, seed), seed_block=SeedBlock.SEARCH),
            )
            for seed in range(4)
        ]
        found += [(number, outcome) for outcome in outcomes]
        history.append({
            "number": number, "values": {**BASE, **values}, "state": "complete", "feasible": bool(height >= 0.42),
            "objective": [float(np.mean([o.metrics["neighbour_mi"] for o in outcomes]))],
            "trial_ids": [o.spec.trial_id for o in outcomes],
        })  # fmt: skip
    return history, found


def record_of(history: list[dict[str, Any]], datasets: tuple[str, ...]) -> dict[str, Any]:
    suffix = {d: f" @ {d}" if len(datasets) > 1 else "" for d in datasets}
    arms, contrasts = [], []
    for dataset in datasets:
        tail = suffix[dataset]
        for arm, (values, factor, level, _, _) in ARMS.items():
            role = "baseline" if arm == "baseline" else "level"
            arms.append({"name": arm + tail, "method": "entropy", "dataset": dataset, "values": {**BASE, **values},
                         "role": role, "factor": factor, "level": level, "design": 0})  # fmt: skip
        arms.append({"name": "kmeans" + tail, "method": "kmeans", "dataset": dataset, "values": {}, "role": "rival",
                     "factor": "", "level": "", "design": 1})  # fmt: skip
        for arm in arms:
            if arm["dataset"] == dataset and arm["role"] != "baseline":
                contrasts.append({
                    "name": f"{arm['name']} vs baseline{tail}", "kind": "difference", "dataset": dataset,
                    "factor": arm["factor"] or "method", "level": arm["level"],
                    "weights": {arm["name"]: 1.0, f"baseline{tail}": -1.0},
                })  # fmt: skip
    best = max((one for one in history if one["feasible"]), key=lambda one: one["objective"][0])
    search = {
        "method": "entropy", "dataset": datasets[0], "rules": ["neighbour_mi"], "sampler": "tpe", "pruner": "none",
        "n_configurations": 24, "n_seeds": 4, "round_size": 12,
        "space": {"fairness_weight": "a number from 1 to 1000", "norm_weight": "a number from 1e-05 to 0.1"},
        "chosen": best["values"], "chosen_number": best["number"], "history": history,
    }  # fmt: skip
    return {
        "schema_version": 1, "name": NAME, "question": "Which parts of entropy clustering matter?", "paper": "004",
        "docstring": "A study made up for the tests.", "tier": "local", "exploratory": False, "metric": "nmi",
        "alpha": 0.05, "margin": 0.01, "datasets": list(datasets), "protocol": "whole", "n_epochs": N_EPOCHS,
        "failure_budget": 0.1, "arms": arms, "contrasts": contrasts, "searches": [search],
        "seeds": {"block": "confirm", "seeds": list(range(N_SEEDS)), "looks": None},
        "looks_taken": [{"at": "2026-01-01T00:00:00+00:00", "n_seeds": N_SEEDS, "planned": True}],
        "versions": {"numpy": "2"}, "git_commit": "abc", "created_at": "2026-01-01T00:00:00+00:00",
        "priced": {}, "command": "orchestrate run synthetic",
        "equivalence": {"checks": [
            {"method": "entropy", "dataset": datasets[0], "shape": "a", "trial_id": "0123456789", "bundle_id": "b",
             "bundle_size": 16, "equal": equal, "says": "" if equal else "metric.nmi after epoch 2: 0.5 in the bundle"}
            for equal in (True, False)
        ]},
    }  # fmt: skip


def plan_rows(confirm: dict[str, list[TrialOutcome]], suffix: str) -> Iterator[dict[str, Any]]:
    for arm, outcomes in confirm.items():
        _, factor, level, _, _ = ARMS.get(arm, ({}, "", "", 0.0, 0.0))
        role = {"baseline": "baseline", "kmeans": "rival"}.get(arm, "level")
        for outcome in outcomes:
            yield {**row_of(outcome.spec), "arm": arm + suffix, "factor": factor, "level": level, "role": role}


def row_of(spec: TrialSpec) -> dict[str, Any]:
    return {"trial_id": spec.trial_id, "arm": "", "factor": "", "level": "", "role": "search",
            "phase": str(spec.seed_block), "dataset": spec.dataset, "method": spec.method,
            "seed_block": str(spec.seed_block), "seed": spec.seed, "configuration": -1}  # fmt: skip


def write_synthetic(results: Path, datasets: tuple[str, ...] = ("digits",), name: str = NAME) -> Synthetic:
    """Write the synthetic study into `results`; seed 5 of `norm_weight=0` is planned and was never trained."""
    random = np.random.default_rng(7)
    history, searched = search_outcomes(random)
    rows = [{**row_of(o.spec), "arm": f"entropy #{number}", "configuration": number} for number, o in searched]
    outcomes = [outcome for _, outcome in searched]
    for dataset in datasets:
        confirm = confirm_outcomes(random, dataset)
        rows += plan_rows(confirm, f" @ {dataset}" if len(datasets) > 1 else "")
        never = confirm["norm_weight=0"][5]
        outcomes += [one for arm in confirm.values() for one in arm if one is not never]
    record = {**record_of(history, datasets), "name": name}
    epochs = [row for one in outcomes if one.state is TrialState.COMPLETE for row in curve_of(one)]
    with Ledger(results, writable=True) as ledger:
        ledger.append(outcomes, pa.Table.from_pylist(epochs))
        ledger.studies.write(name, record, pa.Table.from_pylist(rows))
    return Synthetic(results, name, json.loads(json.dumps(record)))


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Synthetic:
    """The synthetic study on one dataset; read only."""
    return write_synthetic(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="session")
def two_datasets(tmp_path_factory: pytest.TempPathFactory) -> Synthetic:
    """The same study on two datasets."""
    return write_synthetic(tmp_path_factory.mktemp("results"), ("digits", "mnist_5k"))


@pytest.fixture
def train_missing() -> Callable[[Path], None]:
    """Append the one trial of the synthetic study that was never trained."""

    def train(results: Path) -> None:
        with Ledger(results, writable=True) as ledger:
            ledger.append([outcome_of(spec_of({"norm_weight": 0.0}, 5), 0.661)])

    return train


@pytest.fixture
def write_synthetic_in() -> Callable[[Path], Synthetic]:
    """Write the synthetic study into a folder that the test may change."""
    return write_synthetic
