"""What `orchestrate run` and `report` are asked for, and the executor that goes with it; loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.bundles.profile import device_for
from orchestrator.provenance import n_gpus

if TYPE_CHECKING:
    from orchestrator.plan.planning import Catalogue
    from orchestrator.study import Study

__all__ = ["Request", "checked", "executor_of", "started_early"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options of `orchestrate run`, but for what changes the study."""

    results: Path
    out: Path | None = None
    """Where reports go; None: beside the ledger (a committed ledger is left as it is, see `analysis.pages.index`)."""
    answers: Path | None = None
    """Where ANSWERS.md goes besides."""
    address: str = "local"
    plugins: tuple[str, ...] = ()
    device: str = "auto"
    bundles_per_gpu: int = 1
    max_concurrent: int = 0
    time_budget: float = 0.0
    budget_hours: float = 0.0
    stall: float = 0.0
    retry_failed: str = ""
    only_current: bool = False
    take_over: bool = False
    notebook: bool = True
    report: bool = True
    verbose: bool = False
    as_json: bool = False


def started_early(study: Study, request: Request, executor: Any) -> Catalogue | None:
    """Check a study that has left nothing in the results folder and start its executor, since it surely has work.

    Ray then starts while all else is imported. Returns what `checked` does; None: nothing is known of the study yet.

    Raises:
        RequestError: its plan does not hold.
    """
    if (request.results / "studies" / study.key).exists() or request.retry_failed:
        return None
    catalogue = checked(study, request.plugins)
    executor.start()
    return catalogue


def checked(study: Study, plugins: tuple[str, ...]) -> Catalogue:
    """Return the methods and data of a study whose plan holds: every level within its domain, enough seeds.

    Raises:
        RequestError: it does not.
    """
    from orchestrator.plan.planning import Catalogue, validate
    from orchestrator.plan.power import require_power

    catalogue = Catalogue(plugins)
    require_power(study, validate(study, catalogue))
    return catalogue


def executor_of(request: Request) -> Any:
    """Return an executor that starts when it is needed."""
    if request.address == "inline":
        return _Inline(request)
    return _DeferredRay(request)


class _Inline:
    """The executor without Ray, with this process's devices."""

    def __init__(self, request: Request) -> None:
        from orchestrator.executors.inline import InlineExecutor

        executor = InlineExecutor()
        self.asked, self.start, self.run, self.close = request.device, executor.start, executor.run, executor.close
        self.end = executor.close

    def device(self) -> str:
        """Return the device of this run."""
        return device_for(self.asked, float(n_gpus()))

    def dashboard(self) -> str:
        """Return nothing: there is no Ray."""
        return ""


class _DeferredRay:
    """The Ray executor, imported and started only when there is something to train."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.executor: Any = None
        device_for(request.device, 1)  # a wrong word is told before anything starts

    def device(self) -> str:
        """Return the device of this run: on a cluster elsewhere, it must be asked what it offers."""
        asked = self.request.device
        if self.request.address == "local" or asked == "cpu":
            return device_for(asked, float(n_gpus()))
        executor = self.start()
        found = device_for(asked, executor.offers().get("GPU", 0.0))
        executor.gpus = 1 if found == "cuda" else 0  # before its first bundle: until then there are no workers
        return found

    def start(self) -> Any:
        """Begin to start Ray (in the background) and return the executor."""
        if self.executor is None:
            from orchestrator.executors.ray_tune import RayTuneExecutor

            self.executor = RayTuneExecutor(
                self.request.address,
                max_concurrent=self.request.max_concurrent or None,
                gpus=1 if self.request.address == "local" and self.device() == "cuda" else 0,
                bundles_per_gpu=self.request.bundles_per_gpu,
                verbose=self.request.verbose,
                stall_seconds=self.request.stall or None,
            )
            self.executor.start()
        return self.executor

    def dashboard(self) -> str:
        """Return where the cluster's dashboard is; empty: a Ray of our own has none."""
        return "" if self.request.address == "local" else str(self.start().dashboard())

    def run(self, source: Any) -> None:
        """Train until the source is finished, or stopping."""
        self.start().run(source)

    def end(self) -> None:
        """Begin to end Ray's processes, if there are any."""
        if self.executor is not None:
            self.executor.end()

    def close(self) -> None:
        """End Ray's processes, if there are any."""
        if self.executor is not None:
            self.executor.close()
