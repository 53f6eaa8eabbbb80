"""What a price is learnt from: the ledger's rows, the packaged ledger's, probes, rates that a tier states."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator import discovery
from orchestrator.bundles.profile import Profile
from orchestrator.bundles.size import BundleLimits, known_profile
from orchestrator.dataset_name import loaded_as
from orchestrator.errors import OrchestratorError
from orchestrator.knobs import Knob
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.study import Study
from orchestrator.trial import TrialSpec

__all__ = ["START_SECONDS", "WARM_SECONDS", "Knowledge", "busy_machine", "knowledge", "start_seconds"]

START_SECONDS = (1.0, 4.0, 20.0)
"""Low, expected and high time until the first bundle trains: Ray and its workers (1.5 to 5 s on two cores that nobody
else uses, up to 20 s at a load of 10)."""

WARM_SECONDS = (0.2, 0.7, 4.0)
"""The same where workers have trained before in this command, if only a probe."""

COLUMNS = (
    "method",
    "method_version",
    "dataset",
    "protocol",
    "precision",
    "config",
    "device",
    "state",
    "n_epochs",
    "bundle_size",
    "cost.seconds",
    "cost.peak_memory_bytes",
)
"""What a price reads of a trial."""

LIMIT_WITHOUT_DATA = 16
"""Largest bundle of a plan whose data are not here."""


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """All that a price can be learnt from."""

    rows: pa.Table
    """The ledger's trials (read view): `COLUMNS`; `elsewhere`, if there is such a column, of another machine."""
    spaces: Mapping[str, Mapping[str, Knob]]
    profile: Callable[[str], Profile | None] = lambda key: None
    """program key -> its profile."""
    limit: Callable[[TrialSpec], int] = lambda spec: 16
    """The largest bundle of a trial's program."""
    stated: Mapping[str, float] = field(default_factory=dict)
    """method -> seconds an epoch that the study's tier states."""
    device: str = "cpu"
    busy: float = 1.0
    """How many processes there are for each core that is wanted: what others take now, they may leave meanwhile."""
    size: Callable[[str, str], tuple[int, int] | None] = lambda dataset, protocol: None
    """(dataset, protocol) -> how many points are fitted, and numbers of each; None: it is not here."""


def knowledge(studies: Sequence[Study], catalogue: Catalogue, ledger: Ledger, device: str = "cpu") -> Knowledge:
    """Return what the price of studies can be learnt from: rows, probes, stated rates, the sizes of their bundles."""
    limits = BundleLimits(ledger, catalogue, studies[0].key, device)

    def limit(spec: TrialSpec) -> int:
        return LIMIT_WITHOUT_DATA if spec.dataset in catalogue.absent else limits.looked_up(spec)

    asked = {dataset for study in studies for dataset in study.datasets}
    others = Catalogue(catalogue.plugins)  # what earlier trials were trained on is no part of this plan

    def size(dataset: str, protocol: str) -> tuple[int, int] | None:
        if dataset not in asked and not _is_packaged(dataset):
            return None
        try:
            facts = (catalogue if dataset in asked else others).dataset(dataset, protocol)
        except (OrchestratorError, ImportError, OSError):  # not installed, not downloaded: nothing to learn from
            return None
        return (facts.n_points, facts.n_numbers) if facts.n_points and facts.n_numbers else None

    methods: list[str] = []
    stated: dict[str, float] = {}
    for study in studies:
        methods += study.methods
        stated.update(study.epoch_seconds)
    return Knowledge(
        rows=_with_packaged(ledger.table(columns=COLUMNS), methods),
        spaces=catalogue.spaces(methods),
        profile=lambda key: known_profile(ledger, key),
        limit=limit,
        stated=stated,
        device=device,
        size=size,
    )


def _is_packaged(dataset: str) -> bool:
    """Return whether a name in a row is one of the project's datasets: no file is opened because a row names it."""
    return (
        dataset.partition(":")[0] in discovery.names("dataset") and "/" not in dataset and loaded_as(dataset) == dataset
    )


def start_seconds(ledger: Ledger, *, warm: bool = False) -> tuple[float, float, float]:
    """Return (low, expected, high) time before the first bundle trains, from earlier runs in this folder if any.

    Args:
        ledger: of the folder.
        warm: whether workers have trained before in this command.
    """
    if warm:
        return WARM_SECONDS
    known = []
    for name in ledger.studies.names():
        for run in ledger.studies.read(name)[0].get("runs", ()):
            if run["start_seconds"]:
                known.append(run["start_seconds"])
    if not known:
        return START_SECONDS
    middle = statistics.median(known)
    return min([*known, middle / 1.5]), middle, max([*known, middle * 1.5])


def busy_machine(workers: int) -> float:
    """Return how many processes there are for each core while this many workers train, by the last minute's load."""
    others = os.getloadavg()[0] - workers - 1  # and this process
    return 1.0 + max(0.0, others) / (os.cpu_count() or 1)


def _with_packaged(rows: pa.Table, methods: Collection[str]) -> pa.Table:
    """Return rows that a price may learn from: the ledger's, and of methods that it lacks the packaged ledger's.

    The latter are marked `elsewhere`: another machine trained them.
    """
    missing = set(methods) - set(rows["method"].unique().to_pylist())
    packaged = Path(discovery.find_package("analysis")) / "ledger"
    if not missing or not (packaged / "trials").is_dir():
        return rows
    others = Ledger(packaged).table(columns=COLUMNS)
    others = others.filter(pc.is_in(others["method"], value_set=pa.array(sorted(missing))))
    marked = others.append_column("elsewhere", pa.array([True] * len(others), pa.bool_()))
    return pa.concat_tables([rows, marked], promote_options="default")
