"""What a trial of a program costs, from the nearest source: own rows, a probe, rows further away, a stated rate."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from orchestrator.bundles.profile import Profile
from orchestrator.bundles.program import program_key
from orchestrator.price.knowledge import Knowledge
from orchestrator.trial import TrialSpec, canonical_json

__all__ = ["Rate", "history_of", "rate_of"]

PROBED, SAME_PROGRAM, SAME_DATASET, STATED, SAME_METHOD = 1.35, 1.25, 2.0, 4.0, 4.0
"""Systematic error of a rate by where it comes from: the ends of a 90 % interval are the rate over and times this."""

Z90 = 1.645
"""Half-width of a 90 % interval in standard deviations."""


@dataclass(frozen=True)
class Rate:
    """What a trial of one program costs, how far that may be off either way, and the memory it takes."""

    seconds: Callable[[int, int], float]
    """(epochs, bundle size) -> seconds a member."""
    factor: float
    peak: Callable[[int], float]
    """bundle size -> bytes."""


def history_of(known: Knowledge) -> pd.DataFrame:
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


def rate_of(key: str, spec: TrialSpec, history: pd.DataFrame, known: Knowledge) -> Rate | None:
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
        return Rate(lambda epochs, members: epochs * stated, STATED, lambda members: math.nan)
    return _from_rows(history[method], SAME_METHOD) if method.any() else None


def _probed(profile: Profile, same: pd.DataFrame) -> Rate:
    """Return a probe's rate, its level corrected by rows of the same program."""
    rate = Rate(profile.trial_seconds, PROBED, profile.peak)
    if same.empty:
        return rate
    predicted = [
        profile.trial_seconds(int(epochs), int(size))
        for epochs, size in zip(same["n_epochs"], same["size"], strict=True)
    ]
    logs = np.log(same["seconds"].to_numpy() / np.maximum(predicted, 1e-9))
    level = float(np.exp(np.median(logs)))
    return replace(rate, seconds=lambda e, m: level * profile.trial_seconds(e, m), factor=_spread(logs, SAME_PROGRAM))


def _from_rows(rows: pd.DataFrame, systematic: float) -> Rate:
    logs = np.log((rows["seconds"] / rows["n_epochs"]).to_numpy())
    rate, peak = float(np.exp(logs.mean() + logs.var() / 2)), float(rows["peak"].max())
    return Rate(lambda epochs, members: epochs * rate, _spread(logs, systematic), lambda members: peak)


def _spread(logs: np.ndarray[Any, Any], systematic: float) -> float:
    """Return the factor of a 90 % interval: what is systematic, and the uncertainty of the mean."""
    error = float(logs.std(ddof=1)) / math.sqrt(len(logs)) if len(logs) > 1 else 0.5
    return systematic * math.exp(min(Z90 * error, 1.0))
