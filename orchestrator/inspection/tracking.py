"""Trials as trackers (Weights & Biases, MLflow, TensorBoard) show them: made from the ledger, adding nothing to it.

One file in `trackers/` (or `trackers/` of a plugin folder) holds one tracker, a class, as `TRACKER`. The rows of an
attempt never change, so that what a tracker has is not written again: a second export, or the next look of `--follow`,
costs what is new.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from orchestrator import discovery
from orchestrator.errors import RequestError
from orchestrator.inspection.status import status
from orchestrator.ledger import Ledger
from orchestrator.ledger.studies import whole_study

__all__ = ["Evaluation", "TrackedTrial", "Tracker", "Trackers", "export", "exports", "install"]

FOLLOW_SECONDS = 5.0

FAMILIES = ("metric.", "diagnostic.")
"""Columns that become curves, under `metric/` and `diagnostic/`."""

Targets = Sequence[tuple[str, Path]]
"""(name of a tracker, its folder)."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One evaluation of a trial."""

    epoch: int
    seconds: float
    """Of the trial so far."""
    values: Mapping[str, float]
    """`metric/nmi`, `diagnostic/em_iterations`: what is a number."""


@dataclass(frozen=True, kw_only=True)
class TrackedTrial:
    """The last attempt of a trial, and why a study asks for it."""

    study: str
    group: str
    """The arm; of a search `search METHOD @ DATASET`."""
    name: str
    """`seed-3`; of a search `0007-seed-1`, its configuration first."""
    trial_id: str
    attempt: int
    state: str
    """complete, pruned or failed."""
    config: Mapping[str, Any]
    """Its knobs, with dataset, method and seed."""
    metrics: Mapping[str, float]
    """Of the last evaluation: `metric/nmi`."""
    started: float
    """Seconds since 1970."""
    evaluations: tuple[Evaluation, ...] = ()

    @property
    def key(self) -> str:
        """What tells attempts apart."""
        return f"{self.trial_id}-{self.attempt}"


class Tracker(Protocol):
    """Shows trials somewhere. Made by `of`; called from one thread; never asked to forget a trial."""

    @classmethod
    def of(cls, target: Path) -> Tracker:
        """Return the tracker that writes below a folder.

        Raises:
            RequestError: its package is not installed; the line says what to install.
        """

    def has(self, trial: TrackedTrial) -> bool:
        """Return whether it has the whole of this attempt; evaluations need not be there yet."""

    def write(self, trial: TrackedTrial) -> None:
        """Write an attempt; what a writer that was killed left of it is replaced.

        Raises:
            OSError: the folder cannot be written.
        """

    def look(self) -> str:
        """Return the command with which one looks at it."""

    def close(self) -> None:
        """End what it started."""


class Trackers:
    """Several trackers of one study.

    Args:
        results: the results folder.
        study: the study's key.
        targets: which trackers, and their folders.
        plugins: folders with a user's own trackers.

    Raises:
        UnknownNameError: no such tracker.
        RequestError: a package is not installed.
    """

    def __init__(self, results: Path, study: str, targets: Targets, plugins: Sequence[str] = ()) -> None:
        self._results, self._study = results, study
        self._open: list[tuple[str, Path, Tracker]] = []
        for name, target in targets:
            kind = getattr(discovery.find("tracker", name, plugins), "TRACKER", None)
            if kind is None:
                raise RequestError(f"tracker file of {name!r} defines no TRACKER")
            self._open.append((name, target, kind.of(target)))

    def update(self) -> tuple[int, int]:
        """Write what is new; return how many trials have ended, and how many are new to some tracker."""
        trials = _trials(self._results, self._study)
        new: dict[str, list[tuple[str, Path, Tracker]]] = {}
        for trial in trials:
            lacking = [one for one in self._open if not one[2].has(trial)]
            if lacking:
                new[trial.trial_id] = lacking
        curves = _curves(self._results, list(new))
        for trial in trials:
            for name, target, tracker in new.get(trial.trial_id, ()):
                whole = TrackedTrial(**{**vars(trial), "evaluations": curves.get(trial.trial_id, ())})
                try:
                    tracker.write(whole)
                except OSError as error:
                    said = error.strerror or error
                    raise RequestError(f"--{name} {str(target)!r} cannot be written: {said}") from error
        return len(trials), len(new)

    def looks(self) -> str:
        """Return how one looks at what was written."""
        return "; ".join(tracker.look() for _, _, tracker in self._open)

    def close(self) -> None:
        """End what the trackers started."""
        for _, _, tracker in self._open:
            tracker.close()


def export(results: Path, study: str, targets: Targets, plugins: Sequence[str] = ()) -> tuple[int, int]:
    """Write a study's trials into trackers once; return how many trials are there, and how many are new.

    Raises:
        RequestError: as `Trackers`, or the study was never planned, or a folder cannot be written.
    """
    trackers = Trackers(results, study, targets, plugins)
    try:
        return trackers.update()
    finally:
        trackers.close()


def exports(results: Path, study: str, targets: Targets, plugins: Sequence[str] = (), *, follow: bool) -> Iterator[str]:
    """Write a study's trials into trackers and yield one line that says so; with `follow`, whenever some are new.

    Following ends when nobody trains here any more, or nothing is missing.
    """
    trackers, first = Trackers(results, study, targets, plugins), True
    try:
        while True:
            (standing,) = status(results, study)  # asked first: what ends meanwhile is in the export
            n_trials, n_new = trackers.update()
            if n_new or first:
                places = " and ".join(str(_place(target, study)) for _, target in targets)
                yield f"{n_trials} trials in {places} ({n_new} new); look at them: {trackers.looks()}"
            first = False
            if not (follow and standing["running"] and standing["missing"]):
                return
            time.sleep(FOLLOW_SECONDS)
    finally:
        trackers.close()


def install(name: str, package: str) -> RequestError:
    """Return the error of a tracker whose package is not there."""
    return RequestError(f'--{name} needs the package {package}: pip install "deep-clustering-orchestrator[{name}]"')


def _place(target: Path, study: str) -> Path:
    """Return the study's own folder in a tracker's, where it has one."""
    own = target / study
    return own if own.is_dir() else target


def _trials(results: Path, study: str) -> list[TrackedTrial]:
    """Return the trials of a study that have ended, without their evaluations."""
    _, plan = whole_study(results, study)
    with Ledger(results) as ledger:
        rows = ledger.trials(only=plan["trial_id"].unique().to_pylist())
    if rows.empty:
        return []
    known = ["trial_id", *(column for column in rows.columns if column not in plan.column_names)]
    found = []
    for row in plan.to_pandas().merge(rows[known], on="trial_id").to_dict("records"):
        found.append(_trial(study, {str(name): value for name, value in row.items()}))
    return found


def _trial(study: str, row: Mapping[str, Any]) -> TrackedTrial:
    group, name = str(row["arm"]), f"seed-{row['seed']}"
    if row["phase"] == "search":
        group = f"search {row['method']} @ {row['dataset']}"
        name = f"{int(row['configuration']):04}-seed-{row['seed']}"
    own = {name: row[name] for name in ("method", "dataset", "seed", "state")}
    began = row.get("started_at")
    return TrackedTrial(
        study=study,
        group=group,
        name=name,
        trial_id=row["trial_id"],
        attempt=int(row["attempt"]),
        state=str(row["state"]),
        config={**json.loads(str(row["config"])), **own},
        metrics=_numbers(row, ("metric.",)),
        started=began.timestamp() if began is not None and began == began else 0.0,  # noqa: PLR0124  NaT
    )


def _curves(results: Path, trial_ids: Sequence[str]) -> dict[str, tuple[Evaluation, ...]]:
    if not trial_ids:
        return {}
    with Ledger(results) as ledger:
        epochs = ledger.epochs(sorted(trial_ids))
    found: dict[str, list[Evaluation]] = {}
    for row in epochs.sort_values(["trial_id", "epoch"]).to_dict("records") if len(epochs) else ():
        line = {str(name): value for name, value in row.items()}
        one = Evaluation(epoch=int(line["epoch"]), seconds=float(line["seconds"]), values=_numbers(line, FAMILIES))
        found.setdefault(line["trial_id"], []).append(one)
    return {trial_id: tuple(own) for trial_id, own in found.items()}


def _numbers(row: Mapping[str, Any], families: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for name, value in row.items():
        if name.startswith(families) and value is not None and value == value:  # noqa: PLR0124  NaN
            found[name.replace(".", "/", 1)] = float(value)
    return found
