"""The price of what is still to be trained: core- or GPU-seconds and wall-clock, each with a 90 % interval.

A group is a program (`bundles.profile`): a method on a dataset with all knobs but fusing ones. What a trial of
it costs at a bundle size comes from the ledger's rows of the same program, from the program's probe, or from both: the
probe gives the form (a constant a bundle, a slope a member), the rows correct its level. Else a rate comes from rows of
the method on that dataset, from what a tier states, or from rows of the method; the further, the wider the interval;
without any there is no price, and the plan says so. Wall-clock comes from laying the very bundles that a run would cut
on the workers, search round by search round.
"""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from orchestrator.bundles.equivalence import EquivalenceGuard
from orchestrator.bundles.grouping import bundles, shape_key
from orchestrator.bundles.profile import Profile, program_key
from orchestrator.knobs import Knob
from orchestrator.trial import TrialSpec, canonical_json

__all__ = ["Knowledge", "Price", "price"]

PROBED, SAME_PROGRAM, SAME_DATASET, STATED, SAME_METHOD = 1.35, 1.25, 2.0, 4.0, 4.0
"""Systematic error of a rate by where it comes from: the ends of a 90 % interval are the rate over and times this."""

Z90 = 1.645
"""Half-width of a 90 % interval in standard deviations."""

BUNDLE_SECONDS = (0.1, 0.05, 0.15)
"""(expected, low, high) of what handing a bundle out and hearing of its end costs a worker."""

WAVE_SECONDS = (0.15, 0.05, 0.4)
"""(expected, low, high) of what telling a search round and asking the next one costs all workers."""

START_SECONDS = (8.0, 15.0, 30.0)
"""Low, expected and high time until the first bundle trains: Ray and its workers."""


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


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a plan costs; seconds. NaN where there is nothing to learn from (`unknown` names those groups)."""

    n_trials: int
    n_bundles: int
    core_seconds: float
    low: float
    high: float
    workers: int
    wall_seconds: tuple[float, float, float]
    """(expected, low, high) wall-clock on `workers` workers, start-up included."""
    peak_memory_bytes: tuple[float, float, float]
    """(expected, low, high) of a worker; NaN: unknown."""
    unknown: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return what study.json keeps of a price."""
        return {
            "n_trials": self.n_trials,
            "seconds": [self.core_seconds, self.low, self.high],
            "wall_seconds": list(self.wall_seconds),
            "workers": self.workers,
        }


@dataclass(frozen=True)
class _Rate:
    """What a trial of one program costs, how far that may be off either way, and the memory it takes."""

    seconds: Callable[[int, int], float]
    """(epochs, bundle size) -> seconds a member."""
    factor: float
    peak: Callable[[int], float]
    """bundle size -> bytes."""


def price(
    waves: Sequence[Sequence[TrialSpec]],
    known: Knowledge,
    workers: int,
    start_seconds: tuple[float, float, float] = START_SECONDS,
) -> Price:
    """Return the price of training what is missing.

    Args:
        waves: trials that are no hits; those of one wave wait for the wave before (rounds of a search).
        known: rows, profiles and stated rates.
        workers: bundles that train at a time.
        start_seconds: (low, expected, high) time before the first bundle trains.
    """
    workers = max(1, workers)
    history = _history(known)
    guard = EquivalenceGuard(lambda spec: shape_key(spec, known.spaces[spec.method]), {}, exact=True)
    rates: dict[str, _Rate | None] = {}
    unknown: list[str] = []
    totals = np.zeros(3)
    wall = np.array([start_seconds[1], start_seconds[0], start_seconds[2]]) if any(waves) else np.zeros(3)
    peaks: list[float] = []
    n_bundles = 0
    for wave in waves:
        durations = []
        for bundle in bundles(wave, known.spaces, known.limit):
            spec = bundle.specs[0]
            key = program_key(spec, known.spaces[spec.method], known.device)
            if key not in rates:
                rates[key] = _rate(key, spec, history, known)
            rate = rates[key]
            if rate is None:
                unknown.append(f"{spec.method} on {spec.dataset}")
                continue
            n_bundles += 1
            seconds = len(bundle) * rate.seconds(spec.n_epochs, len(bundle))
            ends = np.array([1.0, 1 / rate.factor, rate.factor])
            durations.append(seconds * ends)
            peaks.append(rate.peak(len(bundle)))
            guard.handed_out(bundle)
            if guard.will_check(bundle):  # its row is compared and dropped: no trial, but time
                durations.append(rate.seconds(spec.n_epochs, 1) * ends)
        totals += sum(durations, start=np.zeros(3))
        wall += [_makespan([float(d[end]) for d in durations], workers, end) for end in range(3)]
    if unknown:
        totals, wall = np.full(3, math.nan), np.full(3, math.nan)
    peak = max((peak for peak in peaks if not math.isnan(peak)), default=math.nan)
    return Price(
        n_trials=sum(map(len, waves)),
        n_bundles=n_bundles,
        core_seconds=float(totals[0]),
        low=float(totals[1]),
        high=float(totals[2]),
        workers=workers,
        wall_seconds=(float(wall[0]), float(wall[1]), float(wall[2])),
        peak_memory_bytes=(peak, peak / 1.1, peak * 1.1),  # allocators round, and a warm worker keeps some
        unknown=tuple(dict.fromkeys(unknown)),
    )


def _makespan(durations: Sequence[float], workers: int, end: int) -> float:
    """Return how long bundles take that are handed out in order to whichever worker is free first.

    Args:
        durations: of the bundles, in seconds.
        workers: how many there are.
        end: which figure: 0 the expected one, 1 the low end, 2 the high end.
    """
    if not durations:
        return 0.0
    free = [0.0] * workers
    for seconds in durations:
        heapq.heappush(free, heapq.heappop(free) + seconds + BUNDLE_SECONDS[end])
    return WAVE_SECONDS[end] + max(free)


def _history(known: Knowledge) -> pd.DataFrame:
    """Return what each complete trial of these methods cost, with the key of its program."""
    rows = known.rows
    columns = ["method", "dataset", "key", "n_epochs", "size", "seconds", "peak", "elsewhere"]
    if rows.empty:
        return pd.DataFrame(columns=columns)
    own = rows[rows["method"].isin(known.spaces) & (rows["state"] == "complete") & (rows["cost.seconds"] > 0)]
    keys: dict[tuple[Any, ...], str] = {}
    names = ("method", "method_version", "dataset", "protocol", "precision", "config", "device")
    found = []
    for facts in zip(*(own[name] for name in names), strict=True):
        if facts not in keys:
            keys[facts] = _key_of_row(dict(zip(names, facts, strict=True)), known)
        found.append(keys[facts])
    return pd.DataFrame(
        {
            "method": own["method"].to_numpy(),
            "dataset": own["dataset"].to_numpy(),
            "key": found,
            "n_epochs": own["n_epochs"].to_numpy(dtype=np.float64),
            "size": own["bundle_size"].fillna(1).to_numpy(dtype=np.float64),
            "seconds": own["cost.seconds"].to_numpy(dtype=np.float64),
            "peak": own["cost.peak_memory_bytes"].to_numpy(dtype=np.float64),
            "elsewhere": own["elsewhere"].eq(True).to_numpy() if "elsewhere" in own else np.zeros(len(own), dtype=bool),
        },
        columns=columns,
    )


def _key_of_row(row: Mapping[str, Any], known: Knowledge) -> str:
    config = json.loads(row["config"])
    space = known.spaces[row["method"]]
    if not set(config) <= set(space):
        return canonical_json([row["method"], "a version with other knobs"])
    spec = TrialSpec(
        method=row["method"],
        method_version=int(row["method_version"]),
        config=config,
        dataset=row["dataset"],
        dataset_digest="",
        protocol=row["protocol"],
        precision=row["precision"],
    )
    return program_key(spec, space, str(row["device"]).partition(":")[0])


def _rate(key: str, spec: TrialSpec, history: pd.DataFrame, known: Knowledge) -> _Rate | None:
    """Return the rate of a program from the nearest source; None: there is none."""
    same, profile = history[history["key"] == key], known.profile(key)
    if profile is not None:  # of this machine; rows of another one would bring its speed along
        return _probed(profile, same[~same["elsewhere"].astype(bool)])
    method = history["method"] == spec.method
    here = history[method & (history["dataset"] == spec.dataset)]
    if len(same):
        return _from_rows(same, SAME_PROGRAM)
    if len(here):
        return _from_rows(here, SAME_DATASET)
    if spec.method in known.stated:  # before rows of other data, which are of another machine
        stated = known.stated[spec.method]
        return _Rate(lambda epochs, members: epochs * stated, STATED, lambda members: math.nan)
    return _from_rows(history[method], SAME_METHOD) if method.any() else None


def _probed(profile: Profile, same: pd.DataFrame) -> _Rate:
    """Return a probe's rate, its level corrected by rows of the same program."""
    rate = _Rate(profile.trial_seconds, PROBED, profile.peak)
    if same.empty:
        return rate
    predicted = [
        profile.trial_seconds(int(epochs), int(size))
        for epochs, size in zip(same["n_epochs"], same["size"], strict=True)
    ]
    logs = np.log(same["seconds"].to_numpy() / np.maximum(predicted, 1e-9))
    level = float(np.exp(np.median(logs)))
    return replace(rate, seconds=lambda e, m: level * profile.trial_seconds(e, m), factor=_spread(logs, SAME_PROGRAM))


def _from_rows(rows: pd.DataFrame, systematic: float) -> _Rate:
    logs = np.log((rows["seconds"] / rows["n_epochs"]).to_numpy())
    rate, peak = float(np.exp(logs.mean() + logs.var() / 2)), float(rows["peak"].max())
    return _Rate(lambda epochs, members: epochs * rate, _spread(logs, systematic), lambda members: peak)


def _spread(logs: np.ndarray[Any, Any], systematic: float) -> float:
    """Return the factor of a 90 % interval: what is systematic, and the uncertainty of the mean."""
    error = float(logs.std(ddof=1)) / math.sqrt(len(logs)) if len(logs) > 1 else 0.5
    return systematic * math.exp(min(Z90 * error, 1.0))
