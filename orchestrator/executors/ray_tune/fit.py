"""One `Tuner.fit` for all runs of an executor: the subclasses of Ray Tune's searcher, scheduler and callback."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher

from orchestrator.executors.ray_cluster.private_api import with_draws_apart, without_census
from orchestrator.executors.ray_tune.bridge import Bridge
from orchestrator.executors.ray_tune.trainable import PARCEL, PAYLOAD, BundleTrainable
from orchestrator.executors.ray_tune.worker_logs import last_words
from orchestrator.trial import FailureKind

__all__ = ["TuneSide", "fit"]

MOST_TRIALS_AT_ONCE = 100_000
"""No limit: the bridge knows how many workers there are. Without any, Tune would start one worker at a time."""


class Closed(Exception):  # noqa: N818 - no error: how a fit is left, past Tune's last snapshot of every trial
    """The executor closes."""


class _Suggest(Searcher):
    """Hands bundles to Tune; never finished, since one fit serves all runs."""

    def __init__(self, tune_side: TuneSide) -> None:
        super().__init__()
        self.side = tune_side

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        """Return the next parcel as a config, or None when there is none now."""
        self.side.check_open()
        parcel = self.side.call(self.side.bridge.next_parcel)
        return None if parcel is None else {PARCEL: parcel}

    def on_trial_complete(self, trial_id: str, result: object = None, error: bool = False) -> None:
        """Nothing: the callback below knows more."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: Tune's own state is never restored; the ledger is the truth."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing, likewise."""


class _Scheduler(FIFOScheduler):
    """Takes results, and decides when a Tune trial ends."""

    def __init__(self, tune_side: TuneSide) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.side = tune_side

    def choose_trial_to_run(self, tune_controller: Any) -> None:
        """Choose none: then Tune gives a worker that is free to the trial that was asked for it.

        The default is the trial that waits longest. Tune would give it that worker, and end the process that starts for
        it; on many nodes, where some process always starts, new ones would never come to work.
        """

    def on_trial_result(self, tune_controller: Any, trial: Any, result: Mapping[str, Any]) -> str:
        """Hand a worker's message on."""
        ends = self.side.call(self.side.bridge.take, _number(trial), result[PAYLOAD])
        return str(FIFOScheduler.STOP if ends else FIFOScheduler.CONTINUE)


class _Watch(tune.Callback):
    """Keeps results out of Tune's memory, and tells the bridge of starts and deaths."""

    def __init__(self, tune_side: TuneSide) -> None:
        self.side = tune_side

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Ten times a second or more."""
        self.side.check_open()

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A parcel has reached a worker."""
        self.side.call(self.side.bridge.started, _number(trial), _Actor(trial.temporary_state.ray_actor))

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """The scheduler has heard the message already; Tune would keep the last one of each trial."""
        result.pop(PAYLOAD, None)
        result.pop("config", None)
        trial.config[PARCEL].unpack()

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A worker or its node died."""
        error = _error_of(trial)
        text = f"{type(error).__name__}: {error}"
        log = last_words(text, self.side.logs, ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]
        cut_off = isinstance(error, ray.exceptions.ActorUnavailableError)  # it lives, as far as Ray knows
        died = functools.partial(self.side.bridge.died, cut_off=cut_off)
        self.side.call(died, _number(trial), _kind(error), text, log)


@dataclass(frozen=True)
class TuneSide:
    """What the thread of Tune knows: the bridge, and how to call it."""

    bridge: Bridge
    call: Callable[..., Any]
    closing: Callable[[], bool]
    storage: str
    """A private folder."""
    logs: Path
    """Where Ray keeps what processes of this machine print."""
    look_around: Callable[[], None]
    """Called in this thread again and again."""

    def check_open(self) -> None:
        """Leave the fit when the executor closes."""
        if self.closing():
            raise Closed
        self.look_around()

    def __reduce__(self) -> tuple[type, tuple[()]]:
        """Pickle as nothing: Tune saves whatever is attached to a fit, and this is never restored."""
        return object, ()


class _Actor:
    """A worker as the bridge sees it."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor

    def tell(self, drop: Sequence[int], stop: bool) -> None:
        self.actor.tell.remote(list(drop), stop)

    def kill(self) -> None:
        # A network that is away would hold whoever waits for the control store.
        threading.Thread(target=_kill, args=(self.actor,), name="kill", daemon=True).start()


def _kill(actor: Any) -> None:
    with contextlib.suppress(Exception):  # it is dead already, or Ray is
        ray.kill(actor)


def _number(trial: Any) -> int:
    return int(trial.config[PARCEL].number)


def _error_of(trial: Any) -> Exception:
    """Return what ended a trial; Tune leaves it in a file beside the driver."""
    if trial.pickled_error_file is None:
        return RuntimeError("the worker ended; Ray Tune does not say why")
    with open(trial.pickled_error_file, "rb") as file:
        error: Exception = ray.cloudpickle.load(file)
    return error


def _kind(error: object) -> FailureKind:
    """Return what killed a worker, as far as Ray knows; a SIGKILL by the kernel's memory killer looks like any."""
    if isinstance(error, ray.exceptions.OutOfMemoryError):
        return FailureKind.OUT_OF_MEMORY
    if getattr(error, "preempted", False) or isinstance(error, ray.exceptions.ActorUnavailableError):
        return FailureKind.PREEMPTION
    return FailureKind.INFRASTRUCTURE


def fit(side: TuneSide) -> None:
    """Let Ray Tune train what the bridge hands out, until the executor closes.

    Raises:
        Exception: whatever ended Ray Tune before that.
    """

    class Trainable(BundleTrainable):
        @classmethod
        def default_resource_request(cls, config: Mapping[str, Any]) -> tune.PlacementGroupFactory:
            return tune.PlacementGroupFactory([dict(config[PARCEL].resources)])

    tuner = tune.Tuner(
        Trainable,
        tune_config=tune.TuneConfig(
            search_alg=_Suggest(side),
            scheduler=_Scheduler(side),
            num_samples=-1,
            max_concurrent_trials=MOST_TRIALS_AT_ONCE,
            reuse_actors=True,
            trial_name_creator=lambda trial: trial.trial_id,
            trial_dirname_creator=lambda trial: trial.trial_id,
        ),
        run_config=tune.RunConfig(
            name="bundles",
            storage_path=side.storage,
            callbacks=[_Watch(side)],
            failure_config=tune.FailureConfig(max_failures=0),
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
            verbose=0,
        ),
    )
    with contextlib.suppress(Closed), without_census(), with_draws_apart():
        tuner.fit()
