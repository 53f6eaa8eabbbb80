"""TensorBoard as an observer: event files of a study's trials, made from the ledger alone and adding nothing to it.

    DIR/<study>/<arm>/seed-<k>/<trial_id>.<attempt>.tfevents                 the confirmation
    DIR/<study>/search/<method> @ <dataset>/<configuration>-seed-<k>/...     a search

A trial is a run of TensorBoard's, its evaluations are steps, and its knobs with the last metrics are a line of the
HParams tab. The rows of an attempt never change, so a file that is there is not written again: a second export, or the
next look of `--follow`, costs what is new.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from orchestrator.errors import RequestError
from orchestrator.inspection.status import status
from orchestrator.ledger import Ledger
from orchestrator.ledger.studies import whole_study

__all__ = ["export", "exports"]

FOLLOW_SECONDS = 5.0

INSTALL = 'pip install "deep-clustering-orchestrator[tensorboard]"'

FAMILIES = ("metric.", "diagnostic.")
"""Columns that become curves, under `metric/` and `diagnostic/`."""


def export(results: Path, study: str, target: Path) -> tuple[int, int]:
    """Write the event files of a study's trials; return how many trials are there, and how many are new.

    Raises:
        RequestError: tensorboardX is not installed, the study was never planned, or the folder cannot be written.
    """
    require_writer()
    ledger = Ledger(results)
    _, plan = whole_study(results, study)
    trials = ledger.trials(only=plan["trial_id"].unique().to_pylist())
    if trials.empty:
        return 0, 0
    known = ["trial_id", *(column for column in trials.columns if column not in plan.column_names)]
    rows = plan.to_pandas().merge(trials[known], on="trial_id").to_dict("records")
    new = []
    for row in rows:
        place = target / study / _run(row) / f"{row['trial_id']}.{row['attempt']}.tfevents"
        if not place.is_file():
            new.append((row, place))
    epochs = ledger.epochs(sorted({row["trial_id"] for row, _ in new}))
    curves = dict(iter(epochs.groupby("trial_id"))) if len(epochs) else {}
    try:
        for row, place in new:
            _write(place, row, curves.get(row["trial_id"], epochs[:0]))
    except OSError as error:
        raise RequestError(f"--tensorboard {str(target)!r} cannot be written: {error.strerror or error}") from error
    return len(rows), len(new)


def exports(results: Path, study: str, target: Path, *, follow: bool) -> Iterator[str]:
    """Write a study's trials as TensorBoard runs and yield one line that says so; with `follow`, whenever some are new.

    Following ends when nobody trains here any more, or nothing is missing.
    """
    first = True
    while True:
        (standing,) = status(results, study)  # asked first: what ends meanwhile is in the export
        n_trials, n_new = export(results, study, target)
        if n_new or first:
            yield f"{n_trials} trials in {target / study} ({n_new} new); look at them: tensorboard --logdir {target}"
        first = False
        if not (follow and standing["running"] and standing["missing"]):
            return
        time.sleep(FOLLOW_SECONDS)


def require_writer() -> None:
    """Refuse to go on without the package that writes event files.

    Raises:
        RequestError: it is not installed; the line says what to install.
    """
    try:
        import tensorboardX  # noqa: F401
    except ImportError:
        raise RequestError(f"--tensorboard needs the package tensorboardX: {INSTALL}") from None


def _run(row: Mapping[str, Any]) -> Path:
    if row["phase"] == "search":
        place = f"{_name(row['method'])} @ {_name(row['dataset'])}"
        return Path("search", place, f"{int(row['configuration']):04}-seed-{row['seed']}")
    return Path(_name(row["arm"]), f"seed-{row['seed']}")


def _name(text: str) -> str:
    """Return a text as the name of one folder."""
    return re.sub(r"[/\\\0]", "_", str(text)).lstrip(".") or "_"


def _write(place: Path, row: Mapping[str, Any], epochs: pd.DataFrame) -> None:
    from tensorboardX.record_writer import RecordWriter

    place.parent.mkdir(parents=True, exist_ok=True)
    for earlier in place.parent.glob("*.tfevents"):  # of an attempt that failed, or of another plan
        earlier.unlink()
    part = place.with_suffix(".part")  # TensorBoard may be watching, and reads what has tfevents in its name
    writer = RecordWriter(str(part))
    for event in _events(row, epochs):
        writer.write(event.SerializeToString())
    writer.close()
    part.replace(place)


def _events(row: Mapping[str, Any], epochs: pd.DataFrame) -> Iterator[Any]:
    """Yield the events of one trial: the format's version, its knobs, one event an evaluation, how it ended."""
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary
    from tensorboardX.summary import hparams

    began = row.get("started_at")
    start = 0.0 if began is None or pd.isna(began) else began.timestamp()
    yield Event(wall_time=start, file_version="brain.Event:2")
    knobs = {**json.loads(str(row["config"])), "dataset": row["dataset"], "seed": row["seed"], "state": row["state"]}
    told = {name: value if isinstance(value, bool | int | float | str) else str(value) for name, value in knobs.items()}
    last = {}
    for name, value in row.items():
        if name.startswith("metric.") and not _absent(value):
            last[_tag(name)] = value
    for summary in hparams(told, last):
        yield Event(wall_time=start, summary=summary)
    columns = [name for name in epochs.columns if name.startswith(FAMILIES)]
    for line in epochs.sort_values("epoch").to_dict("records"):
        values = []
        for name in columns:
            if not _absent(line[name]):
                values.append(Summary.Value(tag=_tag(name), simple_value=float(line[name])))
        when = start + float(line["seconds"])
        yield Event(wall_time=when, step=int(line["epoch"]), summary=Summary(value=values))


def _tag(column: str) -> str:
    return column.replace(".", "/", 1)


def _absent(value: Any) -> bool:
    return value is None or math.isnan(value)
