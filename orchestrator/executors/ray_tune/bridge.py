"""The bookkeeping between a Source and Ray Tune's controller; no ray in here.

Ray Tune asks for work, reports results and tells of deaths; this module turns that into the calls of `executors.base`.
A worker without a bundle stays in a Tune trial of its own, idle, until there is one: Tune ends workers that it has no
trial for, and a cold worker costs seconds. So one fit serves all runs of an executor, and its workers stay warm.
"""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchestrator.errors import CodeMismatchError
from orchestrator.executors.base import Source
from orchestrator.executors.ray_tune.locality import Nearness
from orchestrator.executors.ray_tune.parcel import Message, Parcel, Worker
from orchestrator.executors.ray_tune.under_way import EmptyPlaces, UnderWay
from orchestrator.executors.ray_tune.workers import IdleWorkers
from orchestrator.trial import Bundle, BundleTask, FailureKind, Report

__all__ = ["Bridge"]

STOP_GRACE_SECONDS = 8.0
"""How long bundles under way may take to reach their next evaluation after a stop; then their workers are killed."""

START_PATIENCE_SECONDS = 30.0
"""How long a bundle may wait for its worker before an idle one makes room for it; a cold start takes 5 to 20 s."""


class Bridge:
    """Who is doing what: the bundles of the attached source, and the idle workers.

    Args:
        room: returns how many workers there may be now (asked often).
        pack: makes the parcel of a task (puts its dataset where workers find it).
        warm: how many workers to start before there is anything to do.
        stall_seconds: a bundle that reports nothing for so long is lost as `timeout`; None: never.
        keep_seconds: a worker that is idle for so long is returned to the cluster; None: never.
    """

    def __init__(
        self,
        room: Callable[[], int],
        pack: Callable[[int, BundleTask], Parcel],
        warm: Callable[[int], Parcel | None] = lambda number: None,
        stall_seconds: float | None = None,
        keep_seconds: float | None = None,
    ) -> None:
        self.room, self.pack, self.warm, self.stall_seconds = room, pack, warm, stall_seconds
        self.source: Source | None = None
        self.failure: Exception | None = None
        """What the source, a worker's code check or Tune raised; the run ends and raises it."""
        self._fetched: deque[BundleTask] = deque()
        self._promised = 0  # fetched tasks for which an idle worker was let go, and Tune has not asked yet
        self._open: dict[int, UnderWay] = {}
        self._idle = IdleWorkers(keep_seconds)
        self._held: dict[int, float] = {}  # parcels that Tune has a trial for, also of closed bundles; their shares
        self._nearness = Nearness()
        self._numbers = 0
        self._stop_told_at: float | None = None
        self._heard_any = False
        self._cut_off = EmptyPlaces()
        self._noted: set[str] = set()

    def __reduce__(self) -> tuple[type, tuple[()]]:
        """Pickle as nothing: Tune saves whatever is attached to a fit, and this is never restored."""
        return object, ()

    def attach(self, source: Source) -> None:
        """Begin to serve a source."""
        self.source, self.failure, self._stop_told_at = source, None, None

    def detach(self) -> None:
        """Forget the source; what is still under way (the run was broken off) is told to stop, and never heard."""
        for entry in self._open.values():
            if entry.worker is not None:
                entry.worker.tell((), True)
        self._open.clear()
        self._fetched.clear()
        self._promised, self.source = 0, None

    @property
    def stopping(self) -> bool:
        """Whether the run ends early: the source says so, or something raised."""
        return self.failure is not None or (self.source is not None and self.source.stopping)

    @property
    def idle(self) -> bool:
        """Whether the run is over: nothing is under way, and nothing will come."""
        if self._open or self._fetched:
            return False
        return self.source is None or self.stopping or self.source.finished

    @property
    def shares(self) -> list[float]:
        """The parts of a card that workers have, of those that Tune has a trial for."""
        return list(self._held.values())

    def tick(self) -> None:
        """Look at the clock and the source; called several times a second during a run."""
        if self.stopping:
            self._stop()
            return
        now = time.monotonic()
        if self.stall_seconds is not None:
            self._look_for_stalls(now - self.stall_seconds)
        for number, entry in list(self._open.items()):
            entry.call_if_silent(now)
            if entry.waits_too_long(now):
                self._fetched.appendleft(self._open.pop(number).task)

    def waits_since(self) -> float:
        """Return since when bundles wait for a first worker; infinity: there was one, or nothing waits."""
        if self._heard_any or not self._open:
            return float("inf")
        return min(entry.heard for entry in self._open.values())

    def note(self, text: str) -> None:
        """Tell whoever watches the run, once."""
        if text and text not in self._noted and self._open and self.source is not None:
            self._noted.add(text)
            with self._keeping_failure():
                self.source.report(next(iter(self._open.values())).bundle, Report(note=text))

    def prepare(self) -> None:
        """Let the source get ready; called when nothing is to be answered."""
        if self.source is not None and not self.stopping:
            with self._keeping_failure():
                self.source.prepare()

    def next_parcel(self) -> Parcel | None:
        """Return what to start next: a bundle, or a worker in advance; None when there is none now, or no room."""
        if self._promised:
            self._promised -= 1
            return self._open_next()
        if len(self._held) >= self._places():
            return None
        self._fetch(len(self._idle) + 1)
        if len(self._fetched) > len(self._idle):  # idle workers take theirs as soon as they ask
            parcel: Parcel | None = self._open_next()
        else:
            parcel = self.warm(self._numbers + 1)
            if parcel is not None:
                self._numbers = parcel.number
                self._idle.add(parcel.number)
                self._held[parcel.number] = parcel.share
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
            with self._keeping_failure():
                self._hear(number, entry, message)
            if message.ended:
                self._end(number)
            if number in self._open:
                return False
        self._idle.add(number)
        if self._in_the_way():
            return self._let_go(number)
        self._fetch(self._promised + 1)
        if len(self._fetched) <= self._promised:
            return self._idle.is_to_go(number) and self._let_go(number)
        if self._nearness.leaves(number, self._idle, self._fetched[self._promised]):
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
            self._cut_off.add()
        entry = self._open.pop(number, None)
        if entry is None or self.source is None:
            return
        with self._keeping_failure():
            if self._stop_told_at is not None:
                self.source.interrupted(entry.bundle)
            elif entry.overdue:
                text = f"no report for {self.stall_seconds:g} s; the worker was killed"
                self.source.lost(entry.bundle, FailureKind.TIMEOUT, text, log)
            else:
                self.source.lost(entry.bundle, kind, error, log)

    def scattered(self, error: str) -> None:
        """Take the news that every worker is gone, through no fault of any bundle; the run goes on with others."""
        self._forget_workers()
        self._promised = 0
        for number in list(self._open):
            self.died(number, FailureKind.PREEMPTION, error)

    def collapsed(self, error: Exception) -> None:
        """Take the news that Tune or Ray itself ended: every worker is gone, and the run with it."""
        self._forget_workers()
        if self.source is None:
            return
        if self.stopping:
            self.tick()  # a signal to the whole process group ends Ray too: that is no failure
        else:
            self.failure = error
        for number in list(self._open):
            self.died(number, FailureKind.INFRASTRUCTURE, f"{type(error).__name__}: {error}")

    @contextmanager
    def _keeping_failure(self) -> Iterator[None]:
        """Keep what the source raises for the end of the run: Tune would wrap it, and leave workers behind."""
        try:
            yield
        except Exception as error:
            self.failure = self.failure or error

    def _forget_workers(self) -> None:
        self._idle.clear()
        self._held.clear()

    def _places(self) -> int:
        """Return how many workers there may be now."""
        return max(1, self.room() - self._cut_off.count())

    def _let_go(self, number: int) -> bool:
        """Forget a parcel that Tune has no trial for any more, or will not in a moment; returns True: it ends."""
        self._idle.discard(number)
        self._held.pop(number, None)
        self._nearness.forget(number)
        return True

    def _fetch(self, count: int) -> None:
        with self._keeping_failure():
            while self.source is not None and len(self._fetched) < count and not self.stopping:
                task = self.source.next_task()
                if task is None:
                    break
                self._fetched.append(task)

    def _in_the_way(self) -> bool:
        """Whether an idle worker shall go, since a bundle cannot start: it holds the place that the bundle waits for.

        So it is when there are more parcels than room (a node died while another one came), or when the bundle needs
        another share of a GPU; the latter looks like a slow start, so that only one worker goes a while.
        """
        waiting = [entry for entry in self._open.values() if entry.worker is None]
        if waiting and len(self._held) > self._places():
            return True
        now = time.monotonic()
        overdue = [entry for entry in waiting if now > entry.heard + START_PATIENCE_SECONDS]
        if overdue:
            overdue[0].heard = now
        return bool(overdue)

    def _open_next(self) -> Parcel:
        task = self._fetched.popleft()
        self._numbers += 1
        self._open[self._numbers] = UnderWay(task)
        parcel = self.pack(self._numbers, task)
        self._held[self._numbers] = parcel.share
        return parcel

    def _hear(self, number: int, entry: UnderWay, message: Message) -> None:
        assert self.source is not None
        if message.mismatch:
            raise CodeMismatchError(message.mismatch)
        entry.keep(message.files)
        for report in message.reports:
            if report.finished:  # first of all: whatever the source raises now, it shall not hear of the bundle again
                del self._open[number]
            self.source.report(entry.bundle, report)
            if report.finished:
                entry.forget()
        if number in self._open and not message.ended and entry.bundle.prunable and entry.worker is not None:
            drop = tuple(self.source.decide(entry.bundle))
            if drop:
                entry.worker.tell(drop, False)

    def _end(self, number: int) -> None:
        """Close a bundle whose worker has nothing more to say, unless its last report did."""
        entry = self._open.pop(number, None)
        if entry is None or self.source is None:
            return
        with self._keeping_failure():
            if self.stopping:
                self.source.interrupted(entry.bundle)
            else:
                self.source.lost(entry.bundle, FailureKind.BUG, "training ended before every member had its outcome")

    def _stop(self) -> None:
        assert self.source is not None
        now = time.monotonic()
        if self._stop_told_at is None:
            self._stop_told_at, self._promised = now, 0
            for task in self._fetched:
                self._interrupt(task.bundle)
            self._fetched.clear()
            for number, entry in list(self._open.items()):
                if entry.worker is not None:
                    entry.worker.tell((), True)
                else:  # its worker is still starting, and will be told before it trains
                    self._interrupt(self._open.pop(number).bundle)
        elif now > self._stop_told_at + STOP_GRACE_SECONDS:
            for number, entry in list(self._open.items()):
                if entry.worker is not None:
                    entry.worker.kill()
                self._interrupt(self._open.pop(number).bundle)

    def _interrupt(self, bundle: Bundle) -> None:
        assert self.source is not None
        with self._keeping_failure():
            self.source.interrupted(bundle)

    def _look_for_stalls(self, oldest: float) -> None:
        for entry in self._open.values():
            entry.kill_if_stalled(oldest)
