"""Workers of a bridge that only write down what they are told, and what they say."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.executors.ray_tune.bridge import Bridge
from orchestrator.executors.ray_tune.parcel import Content, Message, Parcel
from orchestrator.trial import BundleTask, Report

__all__ = ["FINISHED", "GOES_ON", "Worker", "begun", "finished_on", "packed"]


class Worker:
    """A process on which nothing runs."""

    def __init__(self) -> None:
        self.told: list[tuple[tuple[int, ...], bool]] = []
        self.killed = False

    def tell(self, drop: Sequence[int], stop: bool) -> None:
        """Write an order down."""
        self.told.append((tuple(drop), stop))

    def kill(self) -> None:
        """Write the end down."""
        self.killed = True


def packed(number: int, task: BundleTask) -> Parcel:
    """Return a parcel with nothing but its task."""
    return Parcel(number, Content(task))


def begun(bridge: Bridge) -> tuple[int, Worker]:
    """Have the next parcel reach a new worker; return its number and the worker."""
    parcel, worker = bridge.next_parcel(), Worker()
    assert parcel is not None
    bridge.started(parcel.number, worker)
    return parcel.number, worker


def finished_on(node: str) -> bytes:
    """Return the message that a bundle is done, of a worker on a node."""
    return Message((Report(finished=True),), ended=True, node=node).packed()


FINISHED = finished_on("")
GOES_ON = Message((Report(),)).packed()
