"""Trains a function: it runs in a thread of its own, which goes on while the training loop waits for an epoch."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load

from orchestrator.errors import DataError, RequestError
from orchestrator.own.declared import PREDICTS, Declared
from orchestrator.own.python_object import taken
from trainables.adapters.alone import Alone, Kept, Trial, points_of, row_of, scores_of, weights_file
from trainables.adapters.reports import Reported, numbers_in
from trainables.global_streams import GlobalStreams
from trainables.method import Method, Row, State
from trainables.randomness import stream_seed
from trainables.scoring import known_metrics

__all__ = ["Call", "FunctionMethod", "Report", "method_of"]

LEAVE_SECONDS = 5.0
"""How long a function may take to leave that is stopped."""

Report = Callable[..., None]


class _Stopped(BaseException):
    """Raised within a function that nobody waits for any more."""


class Said(NamedTuple):
    """What a function reported at once."""

    numbers: Mapping[str, Any]
    assignments: npt.NDArray[np.int64] | None
    weights: Mapping[str, Any] | None


class Call:
    """A function under way: its thread and the caller's run in turn, never at once.

    Args:
        function: called with `report`.
    """

    def __init__(self, function: Callable[[Report], object]) -> None:
        self._function = function
        self._turn = threading.Semaphore(0)
        self._news = threading.Semaphore(0)
        self._said: Said | None = None
        self._stopping = False
        self.ended = False
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name="own function")
        self._thread.start()

    def next(self) -> Said | None:
        """Return what it reports next; None: it has ended.

        Raises:
            Exception: what it raised.
        """
        if self.ended:
            return None
        self._said = None
        self._turn.release()
        while not self._news.acquire(timeout=0.5):  # in short waits, so that a limit's signal is heard
            continue
        if self.error is not None:
            raise self.error
        return self._said

    def stop(self) -> None:
        """Have it end: at its next report, or wherever it is."""
        self._stopping = True
        self._turn.release()
        if self._thread.is_alive() and self._thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread.ident), ctypes.py_object(_Stopped))
        self._thread.join(LEAVE_SECONDS)

    def report(
        self, *, epoch: int | None = None, assignments: Any = None, weights: Any = None, **numbers: float
    ) -> None:
        """Say what holds now; `epoch` is of the first report 0 or 1, and counted on if it is left out."""
        labels = None if assignments is None else np.asarray(assignments)
        said = {name: value.item() if hasattr(value, "item") else value for name, value in numbers.items()}
        self._said = Said(said if epoch is None else {"epoch": epoch, **said}, labels, weights)
        self._news.release()
        self._turn.acquire()
        if self._stopping:
            raise _Stopped

    def _run(self) -> None:
        self._turn.acquire()
        try:
            if not self._stopping:
                self._function(self.report)
        except _Stopped:
            pass
        except BaseException as error:  # the caller raises it
            self.error = error
        self._said, self.ended = None, True
        self._news.release()


class FunctionMethod(Alone):
    """A trial is one call; an epoch ends when the function reports of a later one, or returns."""

    version: ClassVar[int] = 1

    def begin(self, trial: Trial) -> None:
        """Take up a trial; the call begins with the first epoch."""
        self.trial = trial
        self.reported = Reported(trial.spec.n_epochs)
        self.assigned: dict[int, npt.NDArray[np.int64]] = {}
        """Epoch -> the latest assignments that were reported of it."""
        self.weights: Mapping[str, Any] = {}
        """What was named last, to be kept."""
        self.streams = GlobalStreams(trial.seed, trial.device)
        self.epoch = 0
        self.call: Call | None = None

    def target(self, report: Report) -> object:
        """Train the trial, from beginning to end."""
        function = taken(self.declared.asks, self.declared.code)
        data = (points_of(self.trial.data),) if self.declared.takes_data else ()
        return function(self.trial.config, stream_seed(self.trial.seed, "member") >> 1, report, *data)

    def fit_epoch(self) -> None:
        """Return when all is said of the next epoch, or the function has returned."""
        with self.streams.own():
            self.call = self.call or Call(self.target)
            self.epoch += 1
            last = self.epoch >= self.trial.spec.n_epochs
            while not self.call.ended and (last or not self.reported.is_whole(self.epoch)):
                self._hear(self.call.next())

    def evaluate(self, last: bool) -> list[Row]:
        """Return what was said of this epoch; at the last, the latest of every number."""
        numbers = self.reported.last() if last else self.reported.rows.get(self.epoch, {})
        known = [epoch for epoch in self.assigned if epoch <= self.epoch]
        labels = self.assigned[max(known)] if known and (last or self.epoch in self.assigned) else None
        scores = {} if labels is None else scores_of(labels, self.trial.data, last=last)
        if last and not numbers and not scores:
            raise DataError("it returned without a report; call report(loss=...), or report(assignments=...)")
        return [{**row_of(numbers, self.declared.metrics_with(known_metrics())), **scores}]

    def state_dict(self) -> State:
        """Return how many epochs have been told: a function cannot be resumed, but for what it keeps itself."""
        return {"epoch": torch.tensor(self.epoch)}

    def load_state_dict(self, state: State) -> None:
        """Call it again from the start; what it says of earlier epochs is not told again."""
        self.epoch = int(state["epoch"])

    def kept_files(self) -> dict[str, bytes]:
        """Return the arrays that it named last, as they are now.

        Raises:
            DataError: they are none.
        """
        return {"weights": weights_file(self.weights)} if self.weights else {}

    def assign(self, points: npt.NDArray[np.float32], kept: Kept) -> npt.NDArray[Any]:
        """Return what its function for new points says of them.

        Raises:
            RequestError: it has none, or no weights were kept.
        """
        who, asks = self.declared.name, self.declared.asks
        if PREDICTS not in asks:
            raise RequestError(
                f"{who} has no function for it; allowed: @trainable(predict=assign), of (config, weights, x)"
            )
        weights = {name: found.numpy() for name, found in self._loaded(kept, "call report(weights={...})").items()}
        with self.streams.own():
            return np.asarray(taken(asks[PREDICTS], self.declared.code)(self.trial.config, weights, points))

    def _loaded(self, kept: Kept, needs: str) -> dict[str, torch.Tensor]:
        if kept.weights is None:
            raise RequestError(
                f"no weights are kept of the trial of {self.declared.name}; {needs}, and run its study with "
                "--set keep=confirm"
            )
        return load(kept.weights)

    def close(self) -> None:
        """End the call."""
        if self.call is not None:
            self.call.stop()

    def _hear(self, said: Said | None) -> None:
        if said is None:
            return
        numbers = numbers_in(said.numbers, {*self.declared.knobs, "seed"}, None)
        epoch = self.reported.take(said.numbers, numbers)
        if said.weights is not None:
            if not isinstance(said.weights, Mapping):
                raise DataError(f"its weights are {type(said.weights).__name__}; allowed: name -> array")
            self.weights = said.weights
        if said.assignments is not None:
            self.assigned[max(1, epoch)] = said.assignments


def method_of(declared: Declared) -> type[Method]:
    """Return the class that trains a declared function."""
    return type("Function", (FunctionMethod,), {"declared": declared, "version": declared.version})
