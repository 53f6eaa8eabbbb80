"""What a price is learnt from: the ledger's rows, the packaged ledger's, probes, rates that a tier states."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from orchestrator import discovery
from orchestrator.bundles.profile import Profile
from orchestrator.bundles.size import BundleLimits, known_profile
from orchestrator.knobs import Knob
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.study import Study
from orchestrator.trial import TrialSpec

__all__ = ["START_SECONDS", "Knowledge", "knowledge", "start_seconds"]

START_SECONDS = (8.0, 15.0, 30.0)
"""Low, expected and high time until the first bundle trains: Ray and its workers."""

LIMIT_WITHOUT_DATA = 16
"""Largest bundle of a plan whose data are not here."""


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """All that a price can be learnt from."""

    rows: pd.DataFrame
    """The ledger's trials (read view)."""
    spaces: Mapping[str, Mapping[str, Knob]]
    profile: Callable[[str], Profile | None] = lambda key: None
    """program key -> its profile."""
    limit: Callable[[TrialSpec], int] = lambda spec: 16
    """The largest bundle of a trial's program."""
    stated: Mapping[str, float] = field(default_factory=dict)
    """method -> seconds an epoch that the study's tier states."""
    device: str = "cpu"


def knowledge(
    studies: Sequence[Study], catalogue: Catalogue, ledger: Ledger, rows: pd.DataFrame, device: str = "cpu"
) -> Knowledge:
    """Return what the price of studies can be learnt from: rows, probes, stated rates, the sizes of their bundles."""
    limits = BundleLimits(ledger, catalogue, studies[0].key, device)

    def limit(spec: TrialSpec) -> int:
        return LIMIT_WITHOUT_DATA if spec.dataset in catalogue.absent else limits.looked_up(spec)

    methods = [method for study in studies for method in study.methods]
    stated: dict[str, float] = {}
    for study in studies:
        stated.update(study.epoch_seconds)
    return Knowledge(
        rows=_with_packaged(rows),
        spaces=catalogue.spaces(methods),
        profile=lambda key: known_profile(ledger, key),
        limit=limit,
        stated=stated,
        device=device,
    )


def start_seconds(ledger: Ledger) -> tuple[float, float, float]:
    """Return (low, expected, high) time before the first bundle trains, from earlier runs in this folder if any."""
    known = []
    for name in ledger.study_names():
        known += [run["start_seconds"] for run in ledger.read_study(name)[0].get("runs", ()) if run["start_seconds"]]
    if not known:
        return START_SECONDS
    middle = statistics.median(known)
    return min([*known, middle / 1.5]), middle, max([*known, middle * 1.5])


def _with_packaged(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows that a price may learn from: the ledger's, and of methods that it lacks the packaged ledger's.

    The latter are marked `elsewhere`: another machine trained them.
    """
    packaged = Path(discovery.find_package("analysis")) / "ledger"
    if not (packaged / "trials").is_dir():
        return rows
    others = Ledger(packaged).trials().assign(elsewhere=True)
    if rows.empty or others.empty:
        return others if rows.empty else rows
    return pd.concat([rows, others[~others["method"].isin(set(rows["method"]))]], ignore_index=True)
