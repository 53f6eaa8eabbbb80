"""Trains bundles one after another in the driver's own process: for tests, small studies and debugging."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.bundles.profile import device_for
from orchestrator.executors.base import ExecutorOptions, Source
from orchestrator.executors.fence import Fences
from orchestrator.executors.worker import reports
from orchestrator.executors.worker_output import recorded
from orchestrator.provenance import n_gpus
from orchestrator.trial import BundleTask, FailureKind, TrialSpec

__all__ = ["EXECUTOR", "InlineExecutor"]


class InlineExecutor:
    """The executor without workers. It sets torch's thread count to the task's, since that is part of the bits."""

    def __init__(self, device: str = "auto") -> None:
        self._device = device
        self._fences = Fences()

    @classmethod
    def of(cls, options: ExecutorOptions) -> InlineExecutor:
        """Return the executor; of the options only the device is one for it."""
        return cls(options.device)

    def device(self) -> str:
        """Return the device of this process."""
        return device_for(self._device, float(n_gpus()))

    def offers(self) -> Mapping[str, float]:
        """Return this one process and the GPUs that it sees."""
        return {"CPU": 1.0, "GPU": float(n_gpus())}

    def dashboard(self) -> str:
        """Return nothing: there is no cluster."""
        return ""

    def anticipate(self) -> None:
        """Nothing to begin."""

    def run_apart(self, program: str, argument: str) -> None:
        """Nothing: this process trains, and so imports all that by itself."""

    def expect(self, specs: Iterable[TrialSpec], plugins: tuple[str, ...] = ()) -> None:
        """Nothing to make ready."""

    def start(self) -> None:
        """Nothing to make ready."""

    def run(self, source: Source) -> None:
        """Train until the source is finished, or stopping.

        Raises:
            CodeMismatchError: the method's code changed on disk after the driver took its digest.
            RuntimeError: the source waits for trials although none is under way, which would never end.
        """
        while not source.finished and not source.stopping:
            task = source.next_task()
            if task is not None:
                self.train(source, self._fences.fenced(task))
            elif not source.finished and not source.stopping:
                raise RuntimeError("the source has no bundle, is not finished, and nothing is under way")

    def end(self) -> None:
        """Nothing to end."""

    def close(self) -> None:
        """Nothing to end: this executor starts no process."""

    def train(self, source: Source, task: BundleTask) -> None:
        """Train one bundle and tell the source what becomes of it."""
        import torch

        torch.set_num_threads(task.threads)
        bundle = task.bundle
        decide = (lambda: source.decide(bundle)) if bundle.prunable else None
        with recorded() as records:
            for report in reports(task, decide, lambda: source.stopping, said=lambda: "\n".join(records)):
                source.report(bundle, report)
                if report.finished:
                    return
        if source.stopping:
            source.interrupted(bundle)
        else:
            source.lost(bundle, FailureKind.BUG, "training ended before every member had its outcome")


EXECUTOR = InlineExecutor
