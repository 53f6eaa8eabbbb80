"""The training loop of a bundle: trains, yields reports, keeps checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from orchestrator.trial import BundleTask, Report
from trainables.data.dataset import Dataset
from trainables.method import Method
from trainables.training import checkpoints
from trainables.training.bundle_training import BundleTraining
from trainables.training.resumption import remove, save, save_is_due, take_up

__all__ = ["train"]


def train(
    method: type[Method],
    task: BundleTask,
    data: Dataset,
    decide: Callable[[], Sequence[int]] | None = None,
    stopping: Callable[[], bool] | None = None,
) -> Iterator[Report]:
    """Train a bundle, yielding a report after each evaluation; the last has `finished`.

    A member whose metrics are no longer finite has failed (`diverged`) and leaves; so does one that `decide` names
    (`pruned`). When the method raises, nobody knows whose fault it was: the living members are trained again one by
    one (in halves when memory ran out), and the report that says so has `restarted` and repeats what stays valid,
    rows and outcomes. Chunking changes no bit, so their rows are those of an undisturbed run. Members of
    the task that have ended (`ended_members`) are not trained; what a checkpoint has of them is repeated.

    Args:
        method: class of the bundle's method.
        task: the bundle, and where and how it is trained.
        data: the bundle's dataset, under its protocol.
        decide: member indices that shall stop now; asked after each evaluation, but the last, of a prunable bundle.
        stopping: whether to end after this evaluation: a checkpoint is left, and no report has `finished`.
    """
    run, resumed, note = _started(method, task, data)
    try:
        if note:
            yield Report(note=note)
        if resumed or not run.groups:
            yield run.repeated()
        while run.groups:
            yield run.advance()
            if run.epoch and decide is not None and task.bundle.prunable:
                report = run.prune(decide())
                if report.outcomes or report.restarted:
                    yield report
            if run.groups and stopping is not None and stopping():
                save(run)
                return
            if run.groups and save_is_due(run):
                save(run)
            if run.superseded:
                return
    finally:
        run.let_go()
        if not run.groups:  # also when the receiver drops the generator at the last report
            remove(run)


def _started(method: type[Method], task: BundleTask, data: Dataset) -> tuple[BundleTraining, bool, str]:
    """Return a run, whether it goes on from a checkpoint, and what to say of one that is unusable and left behind."""
    run = BundleTraining(method, task, data)
    if task.checkpoint_folder:
        try:
            found = checkpoints.read(Path(task.checkpoint_folder))
            if found is not None:
                take_up(run, found)
                return run, True, ""
        except Exception as error:  # whatever is wrong with it, training from the start is right
            text = " ".join(str(error).split())
            return BundleTraining(method, task, data), False, f"bundle {task.bundle.bundle_id} starts afresh: {text}"
    return run, False, ""
