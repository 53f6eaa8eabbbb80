"""The bookkeeping between a Source and Ray Tune's controller; no ray in here.

Ray Tune asks for work, reports results and tells of deaths; this module turns that into the calls of `executors.base`.
A worker without a bundle stays in a Tune trial of its own, idle, until there is one: Tune ends workers that it has no
trial for, and a cold worker costs seconds. So one fit serves all runs of an executor, and its workers stay warm.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable

from orchestrator.errors import CodeMismatchError
from orchestrator.executors.base import Source
from orchestrator.executors.ray_tune.locality import Nearness
from orchestrator.executors.ray_tune.open_bundles import OpenBundles
from orchestrator.executors.ray_tune.parcel import Message, Parcel, Worker
from orchestrator.executors.ray_tune.places import Places
from orchestrator.executors.ray_tune.served import Served
from orchestrator.executors.ray_tune.under_way import UnderWay
from orchestrator.executors.ray_tune.workers import IdleWorkers
from orchestrator.trial import BundleTask, FailureKind, Report

__all__ = ["Bridge"]

STOP_GRACE_SECONDS = 8.0
"""How long bundles under way may take to reach their next evaluation after a stop; then their workers are killed."""


class Bridge:
    """Who is doing what: the bundles of the source that is served, and the idle workers.

    Args:
        room: returns how many workers of the usual size there may be now (asked often).
        pack: makes the parcel of a task (puts its dataset where workers find it).
        warm: how many workers to start before there is anything to do.
        stall_seconds: a bundle that reports nothing for so long is lost as `timeout`; None: never.
        keep_seconds: a worker that is idle for so long is returned to the cluster; None: never.
        is_down: whether Ray itself is gone, and takes its workers along.
        most: how many workers there may be, of whatever size; None: as many as there is room for.
    """

    def __init__(
        self,
        room: Callable[[], int],
        pack: Callable[[int, BundleTask], Parcel],
        warm: Callable[[int], Parcel | None] = lambda number: None,
        stall_seconds: float | None = None,
        keep_seconds: float | None = None,
        is_down: Callable[[], bool] = lambda: False,
        most: int | None = None,
    ) -> None:
        self.pack, self.warm, self.stall_seconds = pack, warm, stall_seconds
        self._is_down = is_down
        self.served = Served()
        self._promised = 0  # served tasks for which an idle worker was let go, and Tune has not asked yet
        self._open = OpenBundles()
        self._idle = IdleWorkers(keep_seconds)
        self._places = Places(room, most)
        self._nearness = Nearness()
        self._numbers = 0
        self._stop_told_at: float | None = None
        self._heard_any = False
        self._noted: set[str] = set()

    def __reduce__(self) -> tuple[type, tuple[()]]:
        """Pickle as nothing: Tune saves whatever is attached to a fit, and this is never restored."""
        return object, ()

    def attach(self, source: Source) -> None:
        """Begin to serve a source."""
        self.served.attach(source)
        self._stop_told_at = None

    def detach(self) -> None:
        """Forget the source; what is still under way (the run was broken off) is told to stop, and never heard."""
        self._open.tell_stop()
        self._open = OpenBundles()
        self.served.detach()
        self._promised = 0

    @property
    def idle(self) -> bool:
        """Whether the run is over: nothing is under way, and nothing will come."""
        return not self._open and self.served.finished

    @property
    def shares(self) -> list[float]:
        """The parts of a card that workers have, of those that Tune has a trial for."""
        return self._places.shares

    def tick(self) -> None:
        """Look at the clock and the source; called several times a second during a run."""
        if self.served.stopping:
            self._stop()
            return
        if self.stall_seconds is not None:
            self._open.kill_stalled(self.stall_seconds)
        self._open.call_silent()
        self.served.tasks.extendleft(self._open.recall())

    def waits_since(self) -> float:
        """Return since when bundles wait for a first worker; infinity: there was one, or nothing waits."""
        return float("inf") if self._heard_any else self._open.waits_since()

    def note(self, text: str) -> None:
        """Tell whoever watches the run, once."""
        bundle, source = self._open.first(), self.served.source
        if text and text not in self._noted and bundle is not None and source is not None:
            self._noted.add(text)
            with self.served.keeping_failure():
                source.report(bundle, Report(note=text))

    def next_parcel(self) -> Parcel | None:
        """Return what to start next: a bundle, or a worker in advance; None when there is none now, or no room."""
        if self._promised:
            self._promised -= 1
            return self._open_next(for_idle=True)
        if self._places.are_taken:
            return None
        self.served.fetch(len(self._idle) + 1)
        if len(self.served.tasks) > len(self._idle):  # idle workers take theirs as soon as they ask
            parcel: Parcel | None = self._open_next(for_idle=False)
        else:
            parcel = self.warm(self._numbers + 1)
            if parcel is not None:
                self._numbers = parcel.number
                self._idle.add(parcel.number)
                self._places.take(parcel)
        return parcel

    def started(self, number: int, worker: Worker) -> None:
        """Take the news that a parcel has reached a worker."""
        self._heard_any = True
        entry = self._open.get(number)
        if entry is not None:
            entry.worker, entry.heard = worker, time.monotonic()
        if (entry is None and number not in self._idle) or (entry is not None and self._stop_told_at is not None):
            worker.tell((), True)

    def take(self, number: int, payload: bytes) -> bool:
        """Take a worker's message; return whether its Tune trial shall end now, for the next to begin."""
        entry = self._open.get(number)
        if entry is not None:
            entry.heard = time.monotonic()
            message: Message = pickle.loads(payload)
            self._nearness.heard(number, message.node, entry.task)
            with self.served.keeping_failure():
                self._hear(number, entry, message)
            if message.ended:
                self._end(number)
            if number in self._open:
                return False
        self._idle.add(number)
        if self._open.needs_a_place(crowded=self._places.are_crowded):
            return self._let_go(number)
        self.served.fetch(self._promised + 1)
        if len(self.served.tasks) <= self._promised:
            return self._idle.is_to_go(number) and self._let_go(number)
        if self._nearness.leaves(number, self._idle, self.served.tasks[self._promised]):
            return False
        self._promised += 1
        return self._let_go(number)

    def died(self, number: int, kind: FailureKind, error: str, log: str = "", *, cut_off: bool = False) -> None:
        """Take the news that a worker is gone.

        Args:
            number: its parcel's.
            kind: why, as far as it is known.
            error: the same in words.
            log: the end of what it printed.
            cut_off: whether it may live on where nobody can reach it; its place is left empty for a while, or its
                bundle would be lost there again and again.
        """
        self._let_go(number)
        if cut_off:
            self._places.lose_one()
        entry, source = self._open.close(number), self.served.source
        if entry is None or source is None:
            return
        with self.served.keeping_failure():
            if self._stop_told_at is not None or (kind is FailureKind.INFRASTRUCTURE and self._is_down()):
                source.interrupted(entry.bundle)  # the run ends: this death is none of the bundle's losses
            elif kind is FailureKind.INFRASTRUCTURE and self._open.is_spared(entry):
                self.served.tasks.appendleft(entry.task)
            elif entry.overdue:
                text = f"no report for {self.stall_seconds:g} s; the worker was killed"
                source.lost(entry.bundle, FailureKind.TIMEOUT, text, log)
            else:
                source.lost(entry.bundle, kind, error, log)

    def scattered(self, error: str) -> None:
        """Take the news that every worker is gone, through no fault of any bundle; the run goes on with others."""
        self._forget_workers()
        self._promised = 0
        for number in self._open:
            self.died(number, FailureKind.PREEMPTION, error)

    def collapsed(self, error: Exception) -> None:
        """Take the news that Tune or Ray itself ended: every worker is gone, and the run with it.

        No bundle is lost by that: the next run goes on with each. One that had lost workers before would be given up.
        """
        self._forget_workers()
        if self.served.source is None:
            return
        if self.served.stopping:
            self.tick()  # a signal to the whole process group ends Ray too: that is no failure
        else:
            self.served.failure = error
        for number in self._open:
            self._let_go(number)
            entry = self._open.close(number)
            if entry is not None:
                self.served.interrupt([entry.task])

    def _forget_workers(self) -> None:
        self._idle.clear()
        self._places.clear()

    def _let_go(self, number: int) -> bool:
        """Forget a parcel that Tune has no trial for any more, or will not in a moment; returns True: it ends."""
        self._idle.discard(number)
        self._places.leave(number)
        self._nearness.forget(number)
        return True

    def _open_next(self, *, for_idle: bool) -> Parcel:
        task = self.served.tasks.popleft()
        self._numbers += 1
        self._open.open(self._numbers, task, for_idle=for_idle)
        parcel = self.pack(self._numbers, task)
        self._places.take(parcel)
        return parcel

    def _hear(self, number: int, entry: UnderWay, message: Message) -> None:
        source = self.served.source
        assert source is not None
        if message.mismatch:
            raise CodeMismatchError(message.mismatch)
        entry.keep(message.files)
        for report in message.reports:
            if report.finished:  # first of all: whatever the source raises now, it shall not hear of the bundle again
                self._open.close(number)
            source.report(entry.bundle, report)
            if report.finished:
                entry.forget()
        if number in self._open and not message.ended and entry.bundle.prunable and entry.worker is not None:
            drop = tuple(source.decide(entry.bundle))
            if drop:
                entry.worker.tell(drop, False)

    def _end(self, number: int) -> None:
        """Close a bundle whose worker has nothing more to say, unless its last report did."""
        entry, source = self._open.close(number), self.served.source
        if entry is None or source is None:
            return
        with self.served.keeping_failure():
            if self.served.stopping:
                source.interrupted(entry.bundle)
            else:
                source.lost(entry.bundle, FailureKind.BUG, "training ended before every member had its outcome")

    def _stop(self) -> None:
        now = time.monotonic()
        if self._stop_told_at is None:
            self._stop_told_at, self._promised = now, 0
            self.served.interrupt_tasks()
            self.served.interrupt(self._open.tell_stop())  # their workers start, and will be told before they train
        elif now > self._stop_told_at + STOP_GRACE_SECONDS:
            self.served.interrupt(self._open.kill())
