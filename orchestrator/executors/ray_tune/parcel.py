"""What travels between the driver and its workers: a bundle in a parcel, and the messages that come back; no ray."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from orchestrator.executors.checkpoint_files import Files
from orchestrator.own.declared import declaration_of
from orchestrator.trial import BundleTask, Report

__all__ = ["Content", "Message", "Parcel", "Worker"]


class Content(NamedTuple):
    """What is in a parcel."""

    task: BundleTask | None = None
    loan: Any = None
    """How to get at the dataset; see `datasets.Loan`."""
    word: str = ""
    """What the driver left in the results folder; see `checkpoint_files.shares`."""
    code: tuple[str, tuple[Any, ...]] | None = None
    """Digest of the user's own code, and a reference to it; see `user_code.Shipment`. None: it is here already."""
    own: tuple[str, tuple[Any, ...]] | None = None
    """The same of the files of a declared method; see `declared_files`."""
    files: tuple[Any, ...] = ()
    """A reference to the checkpoint to go on from, for a worker that does not see the folder; empty: there is none."""


class Parcel:
    """What one Tune trial carries to its worker: a task and what belongs to it, or nothing.

    Tune copies, keeps and sends back the config of every trial; a parcel is copied by reference, and empty once
    unpacked, so that neither results nor the list of ended trials carry bundles around.
    """

    def __init__(self, number: int, content: Content = Content(), device: str = "cpu") -> None:  # noqa: B008
        self.number = number
        self.device = content.task.device if content.task is not None else device
        self.share = content.task.share if content.task is not None else 1.0
        own = None if content.task is None else declaration_of(content.task.bundle.specs[0].method)
        self.cards, self.cores = (1.0, 1.0) if own is None else (own.gpus, own.cores)
        self.resources: Mapping[str, float] = {}
        """What its worker takes of a node, by Ray's names."""
        self.content = content

    @property
    def places(self) -> float:
        """How many bundles of the usual size it takes the place of: its cards where it trains on GPUs, else cores."""
        return self.cores if self.device == "cpu" else self.cards

    def unpack(self) -> Content:
        """Return what is in it, and forget that."""
        content, self.content = self.content, Content()
        return content

    def __deepcopy__(self, memo: object) -> Parcel:
        return self

    def __repr__(self) -> str:
        return f"parcel {self.number}"


@dataclass(frozen=True)
class Message:
    """What a worker's `step` sends: reports since the last one, and how the bundle stands."""

    reports: tuple[Report, ...] = ()
    ended: bool = False
    """Whether no report will come any more."""
    mismatch: str = ""
    """Text of a CodeMismatchError."""
    node: str = ""
    """Where the worker is."""
    files: Files = ()
    """A new checkpoint, of a worker that does not see the results folder."""

    def packed(self) -> bytes:
        """Return the message as one opaque value: Tune walks through whatever else is in a result."""
        return pickle.dumps(self, protocol=5)


class Worker(Protocol):
    """A process that trains one bundle after another."""

    def tell(self, drop: Sequence[int], stop: bool) -> None:
        """Send members to drop, or the order to stop; it arrives before the next evaluation is asked for."""

    def kill(self) -> None:
        """End the process, or forget it where it cannot be reached; returns at once."""
