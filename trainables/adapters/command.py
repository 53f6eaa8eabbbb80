"""Trains a command: one process a trial, whose reports become rows epoch by epoch."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch

from orchestrator.errors import DataError, shown
from orchestrator.own.declared import Declared
from orchestrator.own.template import filled, places_in, put
from orchestrator.trial import FailureKind
from trainables.adapters.alone import Alone, Trial, as_npy, row_of, scores_of
from trainables.adapters.dataset_file import dataset_file
from trainables.adapters.ended import EndedError, failure_of, killed_by_memory, tail
from trainables.adapters.places import Places
from trainables.adapters.processes import Command, End, processes
from trainables.adapters.reports import Growing, Reported, numbers_in, whole_file
from trainables.method import Method, Row, State
from trainables.randomness import stream_seed
from trainables.scoring import known_metrics

__all__ = ["CommandMethod", "method_of"]

POLL_SECONDS = 0.05
"""How often a command's output is looked at; its end is heard at once."""

PYTHONS = ("python", "python3")
"""Programs in whose place this process's own Python is run."""

REPORT, CHECKPOINT, KEEP = "ORCHESTRATE_REPORT", "ORCHESTRATE_CHECKPOINT", "ORCHESTRATE_KEEP"
"""Variables that tell a command where to report, resume from and keep; `orchestrator.report` reads them."""


class CommandMethod(Alone):
    """A trial is a process; an epoch ends when the command reports of a later one, or ends."""

    version: ClassVar[int] = 1

    def begin(self, trial: Trial) -> None:
        """Take up a trial; its process starts with the first epoch."""
        self.trial, self.asks = trial, self.declared.asks
        named = places_in([*self.asks["words"], *self.asks["environment"].values()])
        self.resumes = "checkpoint" in named
        self.places = Places(trial.task, resumes=self.resumes)
        self.reported = Reported(trial.spec.n_epochs, self.asks["first_epoch"])
        self.epoch = 0
        self.number: int | None = None
        """Of its process; None: it has not started."""
        self.end: End | None = None
        self.sources: list[Growing] = []
        self.line = ""

    def fit_epoch(self) -> None:
        """Return when all is said of the next epoch, or the command has ended well.

        Raises:
            EndedError: it has not.
        """
        if self.number is None:
            self._start()
        self.epoch += 1
        while self.end is None and not self.reported.is_whole(self.epoch):
            self._wait()

    def evaluate(self, last: bool) -> list[Row]:
        """Return what was said of this epoch; at the last, when the command has ended, the latest of every number."""
        if not last:
            return [self._row(self.reported.rows.get(self.epoch, {}))]
        while self.end is None and self.epoch >= self.trial.spec.n_epochs:
            self._wait()
        self._stop()  # at a plateau it goes on
        numbers = self.reported.last()
        scores = self._scores()
        if not numbers and not scores:
            raise EndedError(
                f"it ended without a report: {self.line}\nprint JSON objects of numbers, one a line, or call "
                "orchestrator.report.report(loss=...)",
                FailureKind.BUG,
                self._log(),
            )
        return [{**self._row(numbers), **scores}]

    def _scores(self) -> Row:
        """Return the scores of the clusters that it left, of points that it was given."""
        path = self.places.kept / "assignments.npy"
        if not self.declared.takes_data or not path.is_file():
            return {}
        return scores_of(_numbers_at(path), self.trial.data, last=True)

    def state_dict(self) -> State:
        """Return how many epochs have been told; all else is the command's own business."""
        return {"epoch": torch.tensor(self.epoch)}

    def load_state_dict(self, state: State) -> None:
        """Go on after an epoch: reports of earlier ones are not told again."""
        self.epoch = int(state["epoch"])

    def kept_files(self) -> dict[str, bytes]:
        """Return what the command left at `{keep}`: `weights` or `weights.*`, `assignments.npy`, `embeddings.npy`.

        Raises:
            DataError: several files of weights, or what is no array of numbers, or one of another form.
        """
        found, left = {}, sorted(path for path in self.places.kept.glob("weights*") if path.is_file())
        if len(left) > 1:
            raise DataError(f"it left {', '.join(path.name for path in left)}; allowed: one file of weights")
        for path in left:
            found["weights"] = path.read_bytes()
        for name, n_dims, kind in (("assignments", 1, np.int32), ("embeddings", 2, np.float32)):
            path = self.places.kept / f"{name}.npy"
            if path.is_file():
                array = _numbers_at(path)
                if array.ndim != n_dims:
                    raise DataError(f"its {name}.npy has the shape {array.shape}; allowed: {n_dims} axes")
                found[name] = as_npy(array.astype(kind))
        return found

    def close(self) -> None:
        """End the command, with all that it started."""
        self._stop()
        self.places.close()

    def peak_memory_bytes(self) -> int | None:
        """Return the peak of the command's largest process, once it has ended."""
        return self.end.peak_bytes if self.end is not None and self.end.peak_bytes else None

    def _start(self) -> None:
        line = filled(self.asks, self.trial.knobs, self.values)
        self.line = shlex.join(line.words)
        for first_epoch, epoch, numbers in self.places.said_before():
            self.reported.recall(first_epoch, epoch, numbers)
        (self.places.base / "config.json").write_text(line.config)
        command = Command(
            words=_program(line.words),
            folder=Path(self.declared.folder),
            environment=self._environment(line.environment),
            base=self.places.base,
            memory_bytes=self.trial.task.limits.memory_bytes,
        )
        self.sources = [Growing(command.stdout), Growing(self.places.base / "report")]
        self.killed_before, self.command = killed_by_memory(), command
        try:
            self.number = processes().start(command)
        except FileNotFoundError as error:
            raise EndedError(f"it cannot be started: {self.line}\n{error}", FailureKind.BUG) from None

    @cached_property
    def values(self) -> dict[str, Any]:
        """What stands in the places of its line."""
        trial, places, declared = self.trial, self.places, self.declared
        values = {
            "seed": stream_seed(trial.seed, "script") >> 1,  # as many programs take no more than 31 bits
            "n_epochs": trial.spec.n_epochs,
            "dataset": trial.spec.dataset,
            "config": str(places.base / "config.json"),
            "out": str(places.out),
            "checkpoint": str(places.checkpoint),
            "keep": str(places.kept),
            "gpus": max(1, round(declared.gpus)),
            "cores": max(1, round(declared.cores)),
            **declared.data,
        }
        if declared.takes_data:
            values |= {"data": str(dataset_file(trial.data)), "n_clusters": trial.data.n_clusters}
        return {**values, **trial.knobs}

    def _environment(self, own: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of the command: those of this process but for Ray's, and what it is told."""
        found = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "TUNE_"))}
        cores = str(max(1, round(self.declared.cores)))
        found |= {name: cores for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        found |= {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), found.get("PATH", os.defpath)]),
            "PYTHONUNBUFFERED": "1",  # else its reports come when it has ended
            REPORT: str(self.places.base / "report"),
            KEEP: str(self.places.kept),
        }
        if self.resumes:
            found[CHECKPOINT] = str(self.places.checkpoint)
        return {**found, **own}

    def _wait(self) -> None:
        """Wait for news of the command, and take them."""
        assert self.number is not None
        self.end = processes().wait(self.number, POLL_SECONDS)
        self._hear()
        if self.end is not None and self.end.status != 0:
            raise failure_of(
                self.line,
                self.end,
                tail(self.command.stdout),
                tail(self.command.stderr),
                memory_ran_out=killed_by_memory() > self.killed_before,
            )

    def _hear(self) -> None:
        for said in self._news():
            numbers = numbers_in(said, {*self.declared.knobs, "seed"}, self._names())
            epoch = self.reported.take(said, numbers) if numbers else 0
            if epoch:
                self.places.say(self.reported.first_epoch, epoch, numbers)

    def _news(self) -> Iterator[Mapping[str, Any]]:
        for source in self.sources:
            yield from source.news(ended=self.end is not None)
        if self.end is not None and self.asks["metrics_file"]:
            yield from whole_file(Path(self.declared.folder, put(self.asks["metrics_file"], self.values)))

    def _names(self) -> set[str] | None:
        """Return the names that count as metrics: if it declares any, these and those that every study knows."""
        return {*self.declared.metrics, *known_metrics()} if self.declared.metrics else None

    def _row(self, numbers: Mapping[str, float]) -> Row:
        return row_of(numbers, self.declared.metrics_with(known_metrics()))

    def _log(self) -> str:
        return "\n".join(part for part in (tail(self.command.stdout), tail(self.command.stderr)) if part.strip())

    def _stop(self) -> None:
        if self.number is not None and self.end is None:
            processes().end(self.number)
            self.end = End(-1, 0, 0)


def _numbers_at(path: Path) -> npt.NDArray[Any]:
    """Return an array that the command left.

    Raises:
        DataError: there is none in the file, or one of what is no numbers.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"its {path.name} is no array of numbers: {error}") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise DataError(f"its {path.name} is no array of numbers: {shown(array)}")
    return array


def _program(words: list[str]) -> list[str]:
    """Return a command line with this process's own Python in place of whichever would be found first."""
    return [sys.executable, *words[1:]] if words[0] in PYTHONS else words


def method_of(declared: Declared) -> type[Method]:
    """Return the class that trains a declared command."""
    return type("Command", (CommandMethod,), {"declared": declared, "version": declared.version})
