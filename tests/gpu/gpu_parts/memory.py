"""Memory: what the price says of a bundle's peak against what it takes, and a bundle that memory runs out for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gpu_parts.card import Card, bound
from orchestrator import discovery
from orchestrator.bundles.profile import Profile
from orchestrator.executors.worker import reports
from orchestrator.knobs import canonical, knobs_of
from orchestrator.trial import Bundle, BundleTask, Limits, Report, SeedBlock, TrialSpec, TrialState

__all__ = ["memory"]

WITHIN = 0.1
PROBED = 8
PROGRAMS: dict[str, dict[str, Any]] = {
    "MLPs": {"network": "mlp", "batch_size": 250},
    "wide MLPs": {"network": "mlp", "hidden_width": 512, "batch_size": 250},
}
METHOD, DATASET = "entropy", "gaussians"


def memory(card: Card) -> dict[str, Any]:
    """Return predicted and real peaks by program, what became of a bundle that was too large, and what must hold."""
    peaks = {name: card.tried(lambda name=name: _peaks(card, PROGRAMS[name])) for name in PROGRAMS}
    halved = card.tried(lambda: _halved(card, PROGRAMS["MLPs"]))
    bounds = [
        bound(f"{name}: real peak over its price", None if card.dry else row.get("ratio"), 1 - WITHIN, 1 + WITHIN)
        for name, row in peaks.items()
    ]
    whole = None if "complete" not in halved else float(halved["complete"] == halved["members"])
    bounds.append(bound("a bundle that memory ran out for is complete in halves", whole, least=1.0))
    return {"peaks": peaks, "halved": halved, "bounds": bounds}


def _task(card: Card, values: dict[str, Any], members: int) -> BundleTask:
    method, data = discovery.method(METHOD, ()), discovery.load_dataset(DATASET, "whole", ())
    spec = TrialSpec(
        method=METHOD,
        method_version=method.version,
        config=canonical(knobs_of(method.Config), values, METHOD),
        dataset=DATASET,
        dataset_digest=data.digest,
        protocol="whole",
        seed_block=SeedBlock.SEARCH,
        seed=0,
        n_epochs=2,
    )
    bundle = Bundle(tuple(replace(spec, seed=seed) for seed in range(members)))
    return BundleTask(bundle=bundle, device=card.device.type)


def _said(task: BundleTask) -> list[Report]:
    return list(reports(task, None, lambda: False))


def _peak(card: Card, values: dict[str, Any], members: int) -> float:
    outcomes = [outcome for report in _said(_task(card, values, members)) for outcome in report.outcomes]
    failed = [outcome.error for outcome in outcomes if outcome.state is not TrialState.COMPLETE]
    if failed:
        raise RuntimeError(failed[0].strip().splitlines()[-1])
    return max(outcome.cost["peak_memory_bytes"] for outcome in outcomes)


def _peaks(card: Card, values: dict[str, Any]) -> dict[str, Any]:
    members = card.pick(64, 2 * PROBED)
    few, many, real = (_peak(card, values, count) for count in (1, PROBED, members))
    nothing = (0.0, 0.0)
    profile = Profile(device=card.device.type, members=PROBED, epoch_seconds=nothing, fixed_seconds=nothing,
                      peak_bytes=(few, many), capacity_bytes=0.0)  # fmt: skip
    predicted = profile.peak(members)
    return {"members": members, "predicted": predicted, "real": real, "ratio": round(real / predicted, 4)}


def _halved(card: Card, values: dict[str, Any]) -> dict[str, Any]:
    """Train a bundle with less memory than it takes, and more than its half does."""
    card.require_card()
    members = 64
    whole, half = _peak(card, values, members), _peak(card, values, members // 2)
    said = _said(replace(_task(card, values, members), limits=Limits(memory_bytes=int((whole + half) / 2))))
    outcomes = [outcome for report in said for outcome in report.outcomes]
    complete = {outcome.spec.seed for outcome in outcomes if outcome.state is TrialState.COMPLETE}
    sizes = sorted({int(outcome.facts["bundle_size"]) for outcome in outcomes})
    ran_out = [report.out_of_memory for report in said if report.out_of_memory]
    if not ran_out:
        raise RuntimeError("memory did not run out")
    return {"members": members, "complete": len(complete), "ran_out_at": ran_out, "bundle_sizes": sizes}
