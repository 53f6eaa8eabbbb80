"""The source that a bridge serves, and the tasks it gave that no parcel carries yet; no ray."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from orchestrator.executors.base import Source
from orchestrator.trial import BundleTask

__all__ = ["Served"]


class Served:
    """A source whose errors are kept for the end of the run: Tune would wrap them, and leave workers behind.

    Attributes:
        source: of the run; None: nothing runs.
        failure: what the source, a worker's code check or Tune raised; the run ends and raises it.
        tasks: what the source gave in advance, in its order.
    """

    def __init__(self) -> None:
        self.source: Source | None = None
        self.failure: Exception | None = None
        self.tasks: deque[BundleTask] = deque()

    def attach(self, source: Source) -> None:
        """Begin to serve a source."""
        self.source, self.failure = source, None

    def detach(self) -> None:
        """Forget the source and its tasks."""
        self.source = None
        self.tasks.clear()

    @property
    def stopping(self) -> bool:
        """Whether the run ends early: the source says so, or something raised."""
        return self.failure is not None or (self.source is not None and self.source.stopping)

    @property
    def finished(self) -> bool:
        """Whether nothing is to be handed out, and nothing will come."""
        return not self.tasks and (self.source is None or self.stopping or self.source.finished)

    @contextmanager
    def keeping_failure(self) -> Iterator[None]:
        """Keep what is raised inside, unless something was before."""
        try:
            yield
        except Exception as error:
            self.failure = self.failure or error

    def prepare(self) -> None:
        """Let the source get ready."""
        if self.source is not None and not self.stopping:
            with self.keeping_failure():
                self.source.prepare()

    def fetch(self, count: int) -> None:
        """Ask for tasks until there are `count`, or the source has none now."""
        with self.keeping_failure():
            while self.source is not None and len(self.tasks) < count and not self.stopping:
                task = self.source.next_task()
                if task is None:
                    break
                self.tasks.append(task)

    def interrupt(self, tasks: Iterable[BundleTask]) -> None:
        """Tell the source that bundles are not trained to their end, since the run stops."""
        assert self.source is not None
        for task in tasks:
            with self.keeping_failure():
                self.source.interrupted(task.bundle)

    def interrupt_tasks(self) -> None:
        """Give back the tasks that no parcel carries."""
        self.interrupt(self.tasks)
        self.tasks.clear()
