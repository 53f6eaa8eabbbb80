"""What a trial of a program costs, from the nearest source: own rows, a probe, rows further away, a stated rate."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

import numpy as np
import pyarrow.compute as pc

from orchestrator.bundles.profile import Profile
from orchestrator.bundles.program import program_key
from orchestrator.knobs import Knob
from orchestrator.price.knowledge import Knowledge
from orchestrator.trial import TrialSpec, canonical_json

__all__ = ["Rate", "history_of", "rate_of", "work_of"]

PROBED, SAME_PROGRAM, SAME_DATASET, STATED, SAME_METHOD = 1.35, 1.25, 2.0, 4.0, 4.0
"""Systematic error of a rate by where it comes from: the ends of a 90 % interval are the rate over and times this."""

AFAR = 1.6
"""How much faster or slower another machine may be, beside that."""

Entries: TypeAlias = np.ndarray[Any, Any]

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


@dataclass(frozen=True, kw_only=True)
class History:
    """What complete trials cost: arrays of one entry each."""

    method: Entries
    dataset: Entries
    protocol: Entries
    key: Entries
    """Of the program."""
    work: Entries
    """What of its knobs time is in proportion to (`work_of`)."""
    n_epochs: Entries
    size: Entries
    """Of the bundle."""
    seconds: Entries
    peak: Entries
    elsewhere: Entries
    """Whether another machine trained it."""

    def __len__(self) -> int:
        return len(self.key)

    def where(self, wanted: Entries) -> History:
        """Return the entries at which `wanted` is true."""
        return History(**{one.name: getattr(self, one.name)[wanted] for one in fields(self)})


def history_of(known: Knowledge) -> History:
    """Return what each complete trial of these methods cost, with the key of its program."""
    rows = known.rows
    complete = pc.and_(pc.equal(rows["state"], "complete"), pc.greater(rows["cost.seconds"], 0.0))
    own = rows.filter(pc.fill_null(complete, False)).to_pydict()
    kept = [place for place, method in enumerate(own["method"]) if method in known.spaces]
    names = ("method", "method_version", "dataset", "protocol", "precision", "config", "device")
    keys: dict[tuple[Any, ...], tuple[str, float]] = {}
    found = []
    for place in kept:
        facts = tuple(own[name][place] for name in names)
        if facts not in keys:
            row = dict(zip(names, facts, strict=True))
            keys[facts] = _key_of_row(row, known), work_of(json.loads(row["config"]), known.spaces[row["method"]])
        found.append(keys[facts])

    def entries(name: str, kind: Any, absent: object = None) -> Entries:
        values = own.get(name, [absent] * len(own["method"]))
        return np.array([absent if values[place] is None else values[place] for place in kept], dtype=kind)

    return History(
        method=entries("method", object),
        dataset=entries("dataset", object),
        protocol=entries("protocol", object),
        key=np.array([key for key, _ in found], dtype=object),
        work=np.array([work for _, work in found], dtype=np.float64),
        n_epochs=entries("n_epochs", np.float64),
        size=entries("bundle_size", np.float64, 1),
        seconds=entries("cost.seconds", np.float64),
        peak=entries("cost.peak_memory_bytes", np.float64, math.nan),
        elsewhere=entries("elsewhere", np.bool_, False),
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


def work_of(config: Mapping[str, Any], space: Mapping[str, Knob]) -> float:
    """Return the product of the knobs that a trial takes time in proportion to; 1.0: there is none."""
    return math.prod(float(config.get(name, one.default)) for name, one in space.items() if one.costs)


def rate_of(key: str, spec: TrialSpec, history: History, known: Knowledge) -> Rate | None:
    """Return the rate of a program from the nearest source; None: there is none."""
    same, profile = history.where(history.key == key), known.profile(key)
    if profile is not None:  # of this machine; rows of another one would bring its speed along
        return _probed(profile, same.where(~same.elsewhere))
    method = history.where(history.method == spec.method)
    here = method.where(method.dataset == spec.dataset)
    work = work_of(spec.config, known.spaces[spec.method])
    if len(same):
        return _from_rows(same, SAME_PROGRAM, work)
    if len(here):
        return _from_rows(here, SAME_DATASET, work)
    if spec.method in known.stated:  # before rows of other data, which are of another machine
        stated = known.stated[spec.method]
        return Rate(lambda epochs, members: epochs * stated, STATED, lambda members: math.nan)
    return _from_other_data(method, spec, known, work)


def _probed(profile: Profile, same: History) -> Rate:
    """Return a probe's rate, its level corrected by rows of the same program."""
    rate = Rate(profile.trial_seconds, PROBED, profile.peak)
    if not len(same):
        return rate
    predicted = np.zeros(len(same))
    for place in range(len(same)):
        predicted[place] = profile.trial_seconds(int(same.n_epochs[place]), int(same.size[place]))
    logs = np.log(same.seconds / np.maximum(predicted, 1e-9))
    level = float(np.exp(np.median(logs)))
    return replace(rate, seconds=lambda e, m: level * profile.trial_seconds(e, m), factor=_spread(logs, SAME_PROGRAM))


def _from_rows(rows: History, systematic: float, work: float) -> Rate:
    logs = np.log(rows.seconds / rows.n_epochs / rows.work)
    systematic *= AFAR if rows.elsewhere.all() else 1.0
    rate, peak = work * float(np.exp(logs.mean() + logs.var() / 2)), float(np.fmax.reduce(rows.peak))
    return Rate(lambda epochs, members: epochs * rate, _spread(logs, systematic), lambda members: peak)


def _from_other_data(rows: History, spec: TrialSpec, known: Knowledge, work: float) -> Rate | None:
    """Return the rate by rows of other data, scaled by size; None: there are none, or a size is not known.

    Time is taken to grow with the points, and with the numbers of each between not at all (small products cost what a
    call costs) and in proportion: the middle is the square root, and the interval reaches to both.
    """
    wanted = known.size(spec.dataset, spec.protocol)
    if wanted is None:
        return None
    scales = np.full((len(rows), 2), math.nan)
    sizes: dict[tuple[str, str], tuple[int, int] | None] = {}
    for place, data in enumerate(zip(rows.dataset, rows.protocol, strict=True)):
        if data not in sizes:
            sizes[data] = known.size(*data)
        size = sizes[data]
        if size is not None:
            scales[place] = wanted[0] / size[0], math.sqrt(wanted[1] / size[1])
    sized = np.isfinite(scales[:, 0])
    if not sized.any():
        return None
    points, numbers = scales[sized].T
    rows = rows.where(sized)
    wider = float(np.exp(np.abs(np.log(numbers)).mean()))
    return _from_rows(replace(rows, seconds=rows.seconds * points * numbers), SAME_METHOD * wider, work)


def _spread(logs: np.ndarray[Any, Any], systematic: float) -> float:
    """Return the factor of a 90 % interval: what is systematic, and the uncertainty of the mean."""
    error = float(logs.std(ddof=1)) / math.sqrt(len(logs)) if len(logs) > 1 else 0.5
    return systematic * math.exp(min(Z90 * error, 1.0))
