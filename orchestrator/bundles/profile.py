"""What bundles need and what devices have: every decision about devices, bundle sizes and shares of a card is here.

No torch and no ray: numbers in, numbers out. A *program* is what all members of a bundle share (method, dataset and the
knobs that do not fuse); its *profile* is what a short probe of it measured on one kind of device. The number of workers
appears nowhere, so that it can move no bundle.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.bundles.grouping import halves
from orchestrator.errors import RequestError
from orchestrator.trial import Bundle, TrialSpec

__all__ = [
    "FILLED",
    "MEMBERS_ON_GPU",
    "Profile",
    "bundle_limit",
    "device_for",
    "fitting",
    "members_within",
    "next_slice",
    "require_precision",
    "share_of_card",
    "slices_of_card",
]

FILLED = 0.9
"""A bundle may take this part of its card (or of a core's part of the memory): allocators need some room."""

MEMBERS_ON_GPU = 64
"""Largest bundle on a GPU, whatever its memory: an adaptive search wants its answers in time."""

SLOWER = 1.1
"""A bundle whose members cost more than this, times one alone, is not fused; below it is the noise of a probe."""

MOST_ON_A_CARD = 8
"""Bundles that may share a card: Ray counts cards in ten-thousandths, and slices halve from one to the next."""

WORTH_SECONDS = 1.0
"""Trials shorter than this are bundled anyway: each bundle costs Ray Tune about 30 ms."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a probe measured: a member alone, and a member of a bundle of `members`; pairs are in that order."""

    device: str
    members: int
    epoch_seconds: tuple[float, float]
    """Seconds a member and epoch."""
    fixed_seconds: tuple[float, float]
    """Seconds a member beside its epochs: building, and what only the last evaluation measures."""
    peak_bytes: tuple[float, float]
    """Peak memory of the process, or of the card."""
    capacity_bytes: float
    """Memory of the card; on a CPU that of the machine over its cores. 0: unknown."""
    out_of_memory: int = 0
    """The smallest bundle that memory ran out for; 0: none did."""

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON holds them."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Profile:
        """Return what `as_json` gave; a field that is absent or strange raises KeyError, TypeError or ValueError."""
        pairs = {name: _pair(content[name]) for name in ("epoch_seconds", "fixed_seconds", "peak_bytes")}
        return cls(
            device=str(content["device"]),
            members=int(content["members"]),
            capacity_bytes=float(content["capacity_bytes"]),
            out_of_memory=int(content["out_of_memory"]),
            **pairs,
        )

    def peak(self, members: int) -> float:
        """Return the peak memory of a bundle, linear in its members."""
        if self.members <= 1:
            return self.peak_bytes[0] * members
        slope = max(0.0, (self.peak_bytes[1] - self.peak_bytes[0]) / (self.members - 1))
        return self.peak_bytes[0] + slope * (members - 1)

    def trial_seconds(self, n_epochs: int, members: int) -> float:
        """Return what a member of a bundle costs: per bundle a constant, per member a slope, as the two sizes say."""
        return self._between(self.fixed_seconds, members) + n_epochs * self._between(self.epoch_seconds, members)

    def _between(self, pair: tuple[float, float], members: int) -> float:
        """Return seconds a member at a bundle size: (constant + slope x members) / members."""
        if self.members <= 1:
            return pair[0]
        slope = max(0.0, (self.members * pair[1] - pair[0]) / (self.members - 1))
        return max(0.0, pair[0] - slope) / members + slope


def _pair(values: Any) -> tuple[float, float]:
    first, second = values
    return float(first), float(second)


def members_within(profile: Profile, capacity: float) -> int:
    """Return the largest bundle whose peak stays below `FILLED` of a capacity; 0: not even one member does."""
    room = FILLED * capacity
    one, slope = profile.peak(1), profile.peak(2) - profile.peak(1)
    if one > room:
        return 0
    return MEMBERS_ON_GPU if slope <= 0 else 1 + math.floor((room - one) / slope)


def bundle_limit(profile: Profile, allowed: int, n_epochs: int = 1) -> int:
    """Return how many members of a program share a bundle at most.

    Args:
        profile: what its probe measured.
        allowed: what the method says (on a CPU: what fusing was measured to gain there).
        n_epochs: budget of a trial; very short trials are bundled whatever the probe says.
    """
    limit = allowed
    if profile.capacity_bytes:
        limit = min(limit, members_within(profile, profile.capacity_bytes))
    if profile.out_of_memory:
        limit = min(limit, profile.out_of_memory // 2)
    alone, together = profile.epoch_seconds
    if profile.members > 1 and together > SLOWER * alone and profile.trial_seconds(n_epochs, 1) > WORTH_SECONDS:
        limit = 1
    return max(1, limit)


def fitting(bundles: Iterable[Bundle], out_of_memory: Callable[[TrialSpec], int]) -> Iterator[Bundle]:
    """Halve bundles until each is smaller than what memory once ran out for (0: never), as a run that met it did."""
    for bundle in bundles:
        failed = out_of_memory(bundle.specs[0])
        if failed and len(bundle) > 1 and len(bundle) >= failed:
            yield from fitting(halves(bundle), out_of_memory)
        else:
            yield bundle


def device_for(asked: str, n_gpus: float) -> str:
    """Return the device of a run: what was asked for, or by `auto` the GPUs if there are any.

    Raises:
        RequestError: another word, or GPUs where there are none.
    """
    if asked not in ("auto", "cpu", "cuda"):
        raise RequestError(f"--device {asked!r}: allowed are auto, cpu and cuda")
    if asked == "cuda" and n_gpus < 1:
        raise RequestError("--device cuda: the cluster offers no GPU; allowed here are auto and cpu")
    return "cuda" if asked == "cuda" or (asked == "auto" and n_gpus >= 1) else "cpu"


def require_precision(precision: str, device: str) -> None:
    """Refuse TF32 where no GPU would round to it: the numbers would be float32's under another name.

    Raises:
        RequestError: says what the device has.
    """
    if precision == "tf32" and device == "cpu":
        raise RequestError("precision tf32 is one of GPUs; on a CPU float32 and bfloat16 are allowed")


def share_of_card(profile: Profile | None, limit: int, bundles_per_gpu: int) -> float:
    """Return the part of a GPU that a bundle takes: all of it, but for what cannot fuse when sharing was asked for.

    Shares are 1/n for one n a run, so that workers fall into few classes (`slices_of_card`); n must fit by memory.
    """
    if bundles_per_gpu <= 1 or limit > 1:
        return 1.0
    if profile is not None and profile.capacity_bytes and members_within(profile, profile.capacity_bytes) >= 1:
        within = FILLED * profile.capacity_bytes
        return 1.0 / bundles_per_gpu if bundles_per_gpu * profile.peak(1) <= within else 1.0
    return 1.0


def slices_of_card(n: int) -> tuple[float, ...]:
    """Return the parts of a card that its first, second, ... of n bundles ask Ray for; they add up to the card.

    Ray fills one card with equal parts before it takes the next. So each asks for more than half of what those before
    it left: a second of its kind fits nowhere but on another card. The parts are names of seats and nothing else: by
    memory and in time all n bundles count the same.
    """
    left, slices = 10_000, []
    for _ in range(n - 1):
        slices.append(left // 2 + 1)
        left -= slices[-1]
    return tuple(part / 10_000 for part in (*slices, left))


def next_slice(share: float, held: Iterable[float], cards: int) -> float:
    """Return the part of a card that the next worker asks for: every card has its k-th bundle before one has k + 1.

    Args:
        share: 1/n, as `share_of_card` gives it.
        held: the parts that workers have now.
        cards: how many the cluster has.
    """
    slices = slices_of_card(round(1 / share))
    taken = Counter(held)
    return next((part for part in slices if taken[part] < cards), slices[-1])
