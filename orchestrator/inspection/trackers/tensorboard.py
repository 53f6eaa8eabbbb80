"""TensorBoard: event files of a study's trials.

    DIR/<study>/<arm>/seed-<k>/<trial_id>.<attempt>.tfevents                 the confirmation
    DIR/<study>/search/<method> @ <dataset>/<configuration>-seed-<k>/...     a search

A trial is a run of TensorBoard's, its evaluations are steps, and its knobs with the last metrics are a line of the
HParams tab.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.inspection.tracking import TrackedTrial, install

__all__ = ["TRACKER", "TensorBoard"]

SEARCH = "search "


class TensorBoard:
    """Writes event files.

    Args:
        target: the folder for them.
    """

    def __init__(self, target: Path) -> None:
        self._target = target

    @classmethod
    def of(cls, target: Path) -> TensorBoard:
        """Return the tracker of a folder.

        Raises:
            RequestError: tensorboardX is not installed.
        """
        try:
            import tensorboardX  # noqa: F401
        except ImportError:
            raise install("tensorboard", "tensorboardX") from None
        return cls(target)

    def has(self, trial: TrackedTrial) -> bool:
        """Return whether the file of this attempt is there."""
        return self._place(trial).is_file()

    def write(self, trial: TrackedTrial) -> None:
        """Write the file of an attempt, in the place of earlier ones."""
        from tensorboardX.record_writer import RecordWriter

        place = self._place(trial)
        place.parent.mkdir(parents=True, exist_ok=True)
        for earlier in place.parent.glob("*.tfevents"):  # of an attempt that failed, or of another plan
            earlier.unlink()
        part = place.with_suffix(".part")  # TensorBoard may be watching, and reads what has tfevents in its name
        writer = RecordWriter(str(part))
        for event in _events(trial):
            writer.write(event.SerializeToString())
        writer.close()
        part.replace(place)

    def look(self) -> str:
        """Return the command that shows the folder."""
        return f"tensorboard --logdir {self._target}"

    def close(self) -> None:
        """Nothing to end."""

    def _place(self, trial: TrackedTrial) -> Path:
        group = Path(_name(trial.group))
        if trial.group.startswith(SEARCH) and trial.name[0].isdigit():
            group = Path("search", _name(trial.group.removeprefix(SEARCH)))
        return self._target / trial.study / group / trial.name / f"{trial.trial_id}.{trial.attempt}.tfevents"


def _name(text: str) -> str:
    """Return a text as the name of one folder."""
    return re.sub(r"[/\\\0]", "_", text).lstrip(".") or "_"


def _events(trial: TrackedTrial) -> Iterator[Any]:
    """Yield the events of one trial: the format's version, its knobs, one event an evaluation, how it ended."""
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary
    from tensorboardX.summary import hparams

    yield Event(wall_time=trial.started, file_version="brain.Event:2")
    told = {}
    for name, value in trial.config.items():
        told[name] = value if isinstance(value, bool | int | float | str) else str(value)
    for summary in hparams(told, dict(trial.metrics)):
        yield Event(wall_time=trial.started, summary=summary)
    for one in trial.evaluations:
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in one.values.items()]
        yield Event(wall_time=trial.started + one.seconds, step=one.epoch, summary=Summary(value=values))


TRACKER = TensorBoard
