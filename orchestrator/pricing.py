"""The price of what is still to be trained: core-seconds and wall-clock, each with an interval, learnt from the ledger.

A group is a method on a dataset with a program (everything but fusing knobs). Its seconds per trial and epoch come from
the ledger's own rows: of the same program if there are any, else of the method on that dataset, else of the method.
The further the source, the wider the interval; without any row there is no price, and the plan says so. A tier may
state a rate, for a machine that the ledger knows nothing of: it counts until there are rows of the same program.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from orchestrator.knobs import Knob
from orchestrator.trial import TrialSpec, canonical_json

__all__ = ["Price", "price"]

SOURCES = (("same program", 1.25), ("same method and dataset", 2.0), ("same method", 4.0))
"""Where a rate may come from, and the factor of systematic error allowed for each on both sides."""

STATED_FACTOR = 4.0
"""The same for a rate that a tier states."""

Z90 = 1.645
"""Half-width of a 90 % interval in standard deviations."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a plan costs; seconds. NaN where the ledger has nothing to learn from (`unknown` names those groups)."""

    n_trials: int
    core_seconds: float
    low: float
    high: float
    workers: int
    overhead_seconds: float
    peak_memory_bytes: float
    unknown: tuple[str, ...] = ()

    @property
    def wall_seconds(self) -> tuple[float, float, float]:
        """(expected, low, high) wall-clock on `workers` workers, start-up included."""
        expected, low, high = (
            self.overhead_seconds + seconds / self.workers for seconds in (self.core_seconds, self.low, self.high)
        )
        return expected, low, high


def price(
    missing: Sequence[TrialSpec],
    rows: pd.DataFrame,
    spaces: Mapping[str, Mapping[str, Knob]],
    workers: int,
    overhead_seconds: float = 15.0,
    stated: Mapping[str, float] | None = None,
) -> Price:
    """Return the price of training `missing`.

    Args:
        missing: trials that are no hits.
        rows: the ledger's trials (read view).
        spaces: method -> its knobs.
        workers: bundles that train at a time.
        overhead_seconds: start-up of the cluster and of its workers.
        stated: method -> seconds an epoch that the study's tier states.
    """
    groups: dict[str, list[TrialSpec]] = {}
    for spec in missing:
        groups.setdefault(_key(spec, spaces), []).append(spec)
    total = low = high = 0.0
    memory = math.nan
    unknown = []
    history = _history(rows, spaces)
    for key, specs in groups.items():
        found = _rate(key, specs[0], history, (stated or {}).get(specs[0].method))
        if found is None:
            unknown.append(f"{specs[0].method} on {specs[0].dataset}")
            continue
        rate, factor, peak = found
        seconds = rate * sum(spec.n_epochs for spec in specs)
        total, low, high = total + seconds, low + seconds / factor, high + seconds * factor
        memory = np.fmax(memory, peak)  # a stated rate comes without memory: NaN counts for nothing
    if unknown:
        total = low = high = math.nan
    return Price(
        n_trials=len(missing),
        core_seconds=total,
        low=low,
        high=high,
        workers=max(1, workers),
        overhead_seconds=overhead_seconds if missing else 0.0,
        peak_memory_bytes=float(memory),
        unknown=tuple(dict.fromkeys(unknown)),
    )


def _key(spec: TrialSpec, spaces: Mapping[str, Mapping[str, Knob]]) -> str:
    return canonical_json([spec.method, spec.dataset, _program(spec.config, spaces[spec.method])])


def _program(config: Mapping[str, object], space: Mapping[str, Knob]) -> dict[str, object]:
    return {name: value for name, value in config.items() if name in space and not space[name].fuses}


def _history(rows: pd.DataFrame, spaces: Mapping[str, Mapping[str, Knob]]) -> pd.DataFrame:
    """Return seconds per epoch of each complete trial of these methods, with the key of its group."""
    if rows.empty:
        return pd.DataFrame(columns=["method", "dataset", "key", "rate", "peak"])
    own = rows[rows["method"].isin(spaces) & (rows["state"] == "complete")]
    keys = [
        canonical_json([method, dataset, _program(json.loads(config), spaces[method])])
        for method, dataset, config in zip(own["method"], own["dataset"], own["config"], strict=True)
    ]
    return pd.DataFrame(
        {
            "method": own["method"].to_numpy(),
            "dataset": own["dataset"].to_numpy(),
            "key": keys,
            "rate": (own["cost.seconds"] / own["n_epochs"]).to_numpy(),
            "peak": own["cost.peak_memory_bytes"].to_numpy(),
        }
    )


def _rate(key: str, spec: TrialSpec, history: pd.DataFrame, stated: float | None) -> tuple[float, float, float] | None:
    """Return (seconds per epoch, factor of the 90 % interval, peak bytes) from the nearest source; None: no source."""
    method = history["method"] == spec.method
    here = method & (history["dataset"] == spec.dataset)
    for where, (_, systematic) in zip((history["key"] == key, here, method), SOURCES, strict=True):
        rates = history.loc[where, "rate"].dropna().to_numpy(dtype=np.float64)
        rates = rates[rates > 0]
        if len(rates):
            logs = np.log(rates)
            spread = float(logs.std(ddof=1)) / math.sqrt(len(logs)) if len(logs) > 1 else 0.5
            factor = systematic * math.exp(min(Z90 * spread, 1.0))
            return float(np.exp(logs.mean() + logs.var() / 2)), factor, float(history.loc[where, "peak"].max())
        if stated is not None:  # before rows of other data or programs, which are of another machine
            return stated, STATED_FACTOR, math.nan
    return None
