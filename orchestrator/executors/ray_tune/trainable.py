"""The trainable: what Ray Tune runs in a worker process, one bundle after another."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ray import get_runtime_context, tune

from orchestrator import discovery
from orchestrator.errors import CodeMismatchError
from orchestrator.executors import declared_files
from orchestrator.executors.checkpoint_files import LocalCopy, shares
from orchestrator.executors.ray_cluster.folders import PrivateFolder, sweep_leftovers
from orchestrator.executors.ray_tune.datasets import Loan, from_store
from orchestrator.executors.ray_tune.parcel import Content, Message, Parcel
from orchestrator.executors.user_code import Shipment, unpacked
from orchestrator.executors.worker import reports
from orchestrator.executors.worker_output import FileOutput
from orchestrator.trial import BundleTask, Report

__all__ = ["PARCEL", "PAYLOAD", "BundleTrainable"]

PARCEL, PAYLOAD = "parcel", "payload"
"""Keys of a Tune trial's config and of its results."""

SLICE_SECONDS = 0.25
"""A step trains for about so long before it reports, so that Tune's cost a result does not count."""

SHORTEST_NAP_SECONDS, LONGEST_NAP_SECONDS = 0.02, 0.2
"""How often an idle worker asks; each time costs the driver about 2 ms."""

search_path: list[str] = []
"""The driver's sys.path, set when the process starts; empty on another machine, whose paths are its own."""

_datasets: dict[Loan, Any] = {}

_output = FileOutput()


def opened(loan: Loan) -> Any:
    """Return the dataset of a loan, opened once in this process."""
    if loan not in _datasets:
        _datasets[loan] = loan.open()
    return _datasets[loan]


@cache
def _own_folder() -> PrivateFolder:
    """Return where this process keeps the user's code, and checkpoints that the driver's machine cannot see."""
    sweep_leftovers()
    return PrivateFolder()


_unpacked: dict[str, tuple[str, ...]] = {}


def _own_plugins(code: tuple[str, tuple[Any, ...]]) -> tuple[str, ...]:
    """Return where this process has the driver's plugins; they are fetched and unpacked once."""
    digest, (reference,) = code
    if digest not in _unpacked:
        _unpacked[digest] = unpacked(Shipment(digest, from_store(reference)), Path(_own_folder().path))
    return _unpacked[digest]


_own_files: dict[str, Path] = {}


def _with_own_files(task: BundleTask, carried: tuple[str, tuple[Any, ...]]) -> BundleTask:
    """Return a task whose declared method runs the driver's files: where they are, or where they are unpacked once."""
    digest, (reference,) = carried
    own = declared_files.of_task(task)
    if own is None or (digest not in _own_files and declared_files.are_here(own, digest)):
        return task
    if digest not in _own_files:
        _own_files[digest] = declared_files.unpacked(Shipment(digest, from_store(reference)), Path(_own_folder().path))
    return declared_files.with_declared(task, declared_files.moved(own, _own_files[digest]))


def _copied(task: BundleTask, content: Content) -> LocalCopy:
    files = from_store(content.files[0]) if content.files else ()
    return LocalCopy(task, Path(_own_folder().path), files)


class BundleTrainable(tune.Trainable):
    """Trains the bundle of a parcel; `reset_config` makes it ready for the next one in the same process."""

    _reports: Iterator[Report] = iter(())
    _drop: list[int]
    _stop: bool
    _ended: bool
    _begun: bool
    _prunable: bool
    _nap: float
    _copy: LocalCopy | None = None

    def setup(self, config: dict[str, Any]) -> None:
        """Unpack the first parcel."""
        if search_path:
            sys.path[:] = search_path  # Ray puts the driver's current directory first, before the driver's packages
        self._begin(config[PARCEL])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Unpack the next parcel."""
        self._begin(new_config[PARCEL])
        return True

    def tell(self, drop: Sequence[int], stop: bool) -> None:
        """Take the driver's decisions; Ray runs calls of one caller in order, so they precede the next step."""
        self._drop.extend(drop)
        self._stop = self._stop or stop

    def step(self) -> dict[str, Any]:
        """Train for a slice of time (to the next evaluation, if the bundle may be pruned) and return the reports."""
        if self._ended:
            time.sleep(self._nap)  # idle: the driver has no bundle yet
            self._nap = min(1.1 * self._nap, LONGEST_NAP_SECONDS)
            return {PAYLOAD: b""}
        try:
            message = self._slice()
        except CodeMismatchError as error:
            message = Message(ended=True, mismatch=str(error))
        self._ended = message.ended
        files = () if self._copy is None else self._copy.news()
        return {PAYLOAD: replace(message, node=get_runtime_context().get_node_id(), files=files).packed()}

    def cleanup(self) -> None:
        """Let the training loop of an unfinished bundle go."""
        self._let_go()

    def _begin(self, parcel: Parcel) -> None:
        self._let_go()
        content = parcel.unpack()
        task = content.task
        self._drop = []
        self._stop, self._nap = False, SHORTEST_NAP_SECONDS
        self._ended, self._begun = task is None, False
        self._prunable = task is not None and task.bundle.prunable
        if task is None:
            discovery.training()  # the imports of the first bundle, in advance
        else:
            _output.mark()
            if content.code is not None:
                task = replace(task, plugins=_own_plugins(content.code))
            if content.own is not None:
                task = _with_own_files(task, content.own)
            self._copy = None if not task.checkpoint_folder or shares(task, content.word) else _copied(task, content)
            self._reports = self._train(task if self._copy is None else self._copy.task, content.loan)

    def _train(self, task: BundleTask, loan: Loan | None) -> Iterator[Report]:
        def load(reference: str, protocol: str, plugins: tuple[str, ...]) -> Any:
            if loan is None:
                return discovery.load_dataset(reference, protocol, plugins)
            return opened(loan)

        return reports(task, self._decisions if self._prunable else None, lambda: self._stop, load, _output.since)

    def _decisions(self) -> list[int]:
        drop, self._drop = self._drop, []
        return drop

    def _slice(self) -> Message:
        if self._stop and not self._begun:
            return Message(ended=True)
        began, said = time.monotonic(), []
        self._begun = True
        for report in self._reports:
            said.append(report)
            if report.finished:
                return Message(tuple(said), ended=True)
            if self._prunable or time.monotonic() - began > SLICE_SECONDS:
                return Message(tuple(said))
        return Message(tuple(said), ended=True)

    def _let_go(self) -> None:
        close = getattr(self._reports, "close", None)
        if close is not None:
            close()
