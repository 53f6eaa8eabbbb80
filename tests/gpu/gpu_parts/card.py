"""The device under check, the time that is left for it, and how things are timed and counted on it."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch

__all__ = ["Card", "SkippedError", "bound"]

Answer = TypeVar("Answer")
ROUNDS = 5


class SkippedError(Exception):
    """What cannot be measured here: it is told, and is no failure."""


@dataclass(frozen=True)
class Card:
    """A card, or in a dry run the CPU in its place, where sizes are small and nothing that is timed says anything."""

    device: torch.device
    deadline: float
    """Monotonic seconds."""

    @property
    def dry(self) -> bool:
        """Whether there is no card."""
        return self.device.type != "cuda"

    def pick(self, real: Answer, dry: Answer) -> Answer:
        """Return what belongs to a card, or to a dry run."""
        return dry if self.dry else real

    def until(self, share: float) -> Card:
        """Return the card for a part of the check, which may take this share of the time that is left."""
        now = time.monotonic()
        return Card(self.device, now + share * max(0.0, self.deadline - now))

    def wait(self) -> None:
        """Return when all that was launched has ended."""
        if not self.dry:
            torch.cuda.synchronize(self.device)

    def require_time(self) -> None:
        """Check that time is left.

        Raises:
            SkippedError: none is.
        """
        if time.monotonic() > self.deadline:
            raise SkippedError("the minutes were over")

    def require_card(self) -> None:
        """Check that there is a card.

        Raises:
            SkippedError: it is a dry run.
        """
        if self.dry:
            raise SkippedError("a CPU has none")

    def tried(self, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return what was measured, or why it was not: one part that fails does not end the check."""
        try:
            self.require_time()
            return measure()
        except SkippedError as reason:
            return {"skipped": str(reason)}
        except Exception as error:  # whatever a card makes of code that never ran on one is what is asked here
            if not self.dry:
                torch.cuda.empty_cache()
            return {"error": " ".join(f"{type(error).__name__}: {error}".split())[:300]}

    def seconds(self, step: Callable[[], object], long: float = 0.1) -> float:
        """Return the wall time of one call: the median of rounds that take about `long` seconds each, warmed up."""
        long = self.pick(long, 0.0)
        for _ in range(self.pick(3, 1)):
            step()
        self.wait()
        once = self._of(step, 1)
        repeats = max(1, round(long / max(once, 1e-6)))
        return statistics.median(self._of(step, repeats) for _ in range(self.pick(ROUNDS, 1)))

    def synchronisations(self, step: Callable[[], object]) -> int:
        """Return how often one call made the CPU wait for the card, by torch's own watch; 0 where there is none."""
        if self.dry:
            step()
            return 0
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                step()
            finally:
                torch.cuda.set_sync_debug_mode("default")
        return sum("synchronizing" in str(warning.message) for warning in said)

    def kernels_share(self, step: Callable[[], object]) -> float | None:
        """Return the share of one call's wall time in which kernels ran; None where there is no card."""
        if self.dry:
            step()
            return None
        seconds = self.seconds(step)
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
            step()
            self.wait()
        return sum(event.self_device_time_total for event in profile.key_averages()) * 1e-6 / seconds

    def _of(self, step: Callable[[], object], repeats: int) -> float:
        began = time.perf_counter()
        for _ in range(repeats):
            step()
        self.wait()
        return (time.perf_counter() - began) / repeats


def bound(what: str, found: float | None, least: float | None = None, most: float | None = None) -> dict[str, Any]:
    """Return one line of what must hold; `holds` is None where it was not measured."""
    holds = None if found is None else (least is None or found >= least) and (most is None or found <= most)
    limits = {name: value for name, value in (("least", least), ("most", most)) if value is not None}
    return {"what": what, "found": None if found is None else round(found, 4), **limits, "holds": holds}
