"""What a worker does with one bundle, wherever it is: find the method, check its code, load the data, train, report."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

from orchestrator import discovery
from orchestrator.errors import CodeMismatchError, DataError
from orchestrator.machine import collection, process_settings
from orchestrator.own.declared import declaration_of, takes_data
from orchestrator.trial import BundleTask, FailureKind, Report, TrialOutcome, TrialState

__all__ = ["reports"]

Decide = Callable[[], Sequence[int]]
Stopping = Callable[[], bool]
LoadDataset = Callable[[str, str, tuple[str, ...]], Any]
"""(reference, protocol, plugins) -> Dataset, as `discovery.load_dataset`."""


def reports(
    task: BundleTask,
    decide: Decide | None,
    stopping: Stopping,
    load: LoadDataset = discovery.load_dataset,
    said: Callable[[], str] = lambda: "",
) -> Iterator[Report]:
    """Train one bundle in this process and yield what `trainables.training.loop.train` says of it.

    Whatever raises before or beside the method (a plugin that does not import, data that cannot be had) becomes the
    outcome of every member that has none yet, so that the process stays warm for the next bundle. The iteration ends
    without a `finished` report only when `stopping` said so.

    Args:
        task: the bundle and all that belongs to it.
        decide: asked after each evaluation of a prunable bundle for the members that shall stop.
        stopping: asked after each evaluation whether the bundle shall end, with a checkpoint.
        load: how this process gets at a dataset.
        said: returns what this process printed since the bundle began; asked when a member fails.

    Raises:
        CodeMismatchError: this process would run other code than the driver planned with.
    """
    collection.as_usual()
    before = process_settings.current()
    with contextlib.closing(_reports(task, decide, stopping, load)) as found:
        try:
            for report in found:
                failed = any(outcome.state is TrialState.FAILED for outcome in report.outcomes)
                yield replace(report, log="\n".join(filter(None, (report.log, said())))) if failed else report
        finally:
            process_settings.put_back(before)  # what loading data set, too


def _reports(task: BundleTask, decide: Decide | None, stopping: Stopping, load: LoadDataset) -> Generator[Report]:
    ended: set[str] = set()
    try:
        method, data = _prepared(task, load)
        for report in discovery.training().train(method, task, data, decide, stopping):
            ended |= report.trial_ids
            yield report
    except CodeMismatchError:
        raise
    except DataError:
        yield _failed(task, ended, FailureKind.DATA)
    except MemoryError:
        yield _failed(task, ended, FailureKind.OUT_OF_MEMORY)
    except Exception:
        yield _failed(task, ended, FailureKind.BUG)


def _prepared(task: BundleTask, load: LoadDataset) -> tuple[Any, Any]:
    """Return the method's class and the data of a task, both checked against what the driver planned with."""
    spec = task.bundle.specs[0]
    own = discovery.code_of_method(spec.method, task.plugins) if task.code_digest else ""
    if own != task.code_digest:
        raise CodeMismatchError(
            f"method {spec.method!r}: a worker has code {own}, the driver {task.code_digest}; "
            f"{_remedy(spec.method, task.plugins)}"
        )
    method = discovery.method(spec.method, task.plugins)
    if not takes_data(spec):
        return method, discovery.no_data()
    data = load(spec.dataset, spec.protocol, task.plugins)
    if spec.dataset_digest and data.digest != spec.dataset_digest:
        raise DataError(
            f"dataset {spec.dataset!r}: this worker has content {data.digest}, the plan {spec.dataset_digest}"
        )
    return method, data


def _remedy(method: str, plugins: tuple[str, ...]) -> str:
    if declaration_of(method) is not None:
        return "its files have changed since this run began; run the same command again"
    return f"install the same version everywhere ({discovery.find('method', method, plugins).__file__!r} is used)"


def _failed(task: BundleTask, ended: set[str], kind: FailureKind) -> Report:
    """Return the last report of a bundle whose remaining members all failed by the exception under way."""
    error = traceback.format_exc()
    bundle = task.bundle
    outcomes = tuple(
        TrialOutcome(
            spec=spec,
            attempt=bundle.attempt(member),
            state=TrialState.FAILED,
            failure_kind=kind,
            error=error,
            facts={"bundle_id": bundle.bundle_id, "bundle_size": len(bundle), "device": task.device},
        )
        for member, spec in enumerate(bundle.specs)
        if spec.trial_id not in ended
    )
    return Report(outcomes=outcomes, finished=True)
