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
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.bundles.equivalence import EquivalenceGuard
from orchestrator.bundles.grouping import bundles
from orchestrator.bundles.program import bundle_key, program_key
from orchestrator.price.knowledge import START_SECONDS, Knowledge
from orchestrator.price.rates import Rate, history_of, rate_of
from orchestrator.trial import Bundle, TrialSpec

__all__ = ["Price", "price"]

Ends = NDArray[np.float64]
"""(3,) expected, low and high."""

BUNDLE_SECONDS = (0.1, 0.05, 0.15)
"""(expected, low, high) of what handing a bundle out and hearing of its end costs a worker."""

WAVE_SECONDS = (0.15, 0.05, 0.4)
"""(expected, low, high) of what telling a search round and asking the next one costs all workers."""


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


class _Estimate:
    """Adds up what the bundles of a plan cost, wave by wave."""

    def __init__(self, known: Knowledge) -> None:
        self._known, self._history = known, history_of(known)
        self._guard = EquivalenceGuard(lambda spec: bundle_key(spec, known.spaces[spec.method]), {}, exact=True)
        self._rates: dict[str, Rate | None] = {}
        self.unknown: list[str] = []
        self.total: Ends = np.zeros(3)
        self.peak = math.nan
        self.n_bundles = 0

    def wave(self, specs: Sequence[TrialSpec], workers: int) -> Ends:
        """Take trials that do not wait for each other; returns how long they take on the workers."""
        durations = []
        for bundle in bundles(specs, self._known.spaces, self._known.limit):
            durations += list(self._durations(bundle))
        self.total += sum(durations, start=np.zeros(3))
        return np.array([_makespan([float(one[end]) for one in durations], workers, end) for end in range(3)])

    def _durations(self, bundle: Bundle) -> Iterator[Ends]:
        """Yield how long a worker is busy with a bundle, and with the member of it that is trained again alone."""
        spec = bundle.specs[0]
        rate = self._rate(spec)
        if rate is None:
            self.unknown.append(f"{spec.method} on {spec.dataset}")
            return
        busy = self._known.busy  # all that others take may come to be free; that more come is less likely
        ends = np.array([1.0, 1 / rate.factor / busy, rate.factor * math.sqrt(busy)])
        self.n_bundles += 1
        self.peak = float(np.fmax(self.peak, rate.peak(len(bundle))))
        self._guard.handed_out(bundle)
        yield len(bundle) * rate.seconds(spec.n_epochs, len(bundle)) * ends
        if self._guard.will_check(bundle):  # its row is compared and dropped: no trial, but time
            yield rate.seconds(spec.n_epochs, 1) * ends

    def _rate(self, spec: TrialSpec) -> Rate | None:
        key = program_key(spec, self._known.spaces[spec.method], self._known.device)
        if key not in self._rates:
            self._rates[key] = rate_of(key, spec, self._history, self._known)
        return self._rates[key]


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
    low, expected, high = start_seconds
    wall: Ends = np.array([expected, low, high]) if any(waves) else np.zeros(3)
    estimate = _Estimate(known)
    for wave in waves:
        wall += estimate.wave(wave, workers)
    total = estimate.total
    if estimate.unknown:
        total, wall = np.full(3, math.nan), np.full(3, math.nan)
    peak = estimate.peak
    return Price(
        n_trials=sum(map(len, waves)),
        n_bundles=estimate.n_bundles,
        core_seconds=float(total[0]),
        low=float(total[1]),
        high=float(total[2]),
        workers=workers,
        wall_seconds=(float(wall[0]), float(wall[1]), float(wall[2])),
        peak_memory_bytes=(peak, peak / 1.1, peak * 1.1),  # allocators round, and a warm worker keeps some
        unknown=tuple(dict.fromkeys(estimate.unknown)),
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
