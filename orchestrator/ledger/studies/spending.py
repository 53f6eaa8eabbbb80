"""What the runs of a study have spent so far: `studies/<name>/spending.jsonl`, a line a minute while one trains.

A line is {"run": id, "seconds": {device name: seconds}}; the last line of a run counts. So of a run that was killed all
but the last minute is known. Runs of older releases stand in study.json only, without names of devices: theirs is "".
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from orchestrator.errors import LedgerError
from orchestrator.ledger import files, plain_files
from orchestrator.ledger.studies import read_study, study_folder, study_names

__all__ = ["SpendingLog", "spent_in_folder", "spent_on_study"]

FILE = "spending.jsonl"
SECONDS = 60.0
"""Between two lines."""


class SpendingLog:
    """Writes what one run of a study spends.

    Args:
        results: the results folder.
        study: the study's key.
        clock: seconds that only grow.
    """

    def __init__(self, results: Path, study: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._results, self._study, self._clock = results, study, clock
        self._run = secrets.token_hex(8)
        self._written = clock()

    def note(self, seconds: Callable[[], Mapping[str, float]], *, last: bool = False) -> None:
        """Write what the run has spent, by device, if the last line is a minute old, or this is the last one.

        Raises:
            LedgerError: it cannot be written.
        """
        if not last and self._clock() - self._written < SECONDS:
            return
        self._written = self._clock()
        found = {device: round(spent, 3) for device, spent in seconds().items()}
        if found:
            line = json.dumps({"run": self._run, "seconds": found}).encode() + b"\n"
            with files.os_errors(f"what study {self._study!r} spends cannot be written"):
                plain_files.append(study_folder(self._results, self._study) / FILE, line)


def spent_on_study(results: Path, study: str) -> dict[str, float]:
    """Return the seconds of all runs of a study, by device.

    Raises:
        LedgerError: the study's files are damaged.
    """
    found: defaultdict[str, float] = defaultdict(float)
    for seconds in _by_run(study_folder(results, study) / FILE).values():
        for device, spent in seconds.items():
            found[device] += spent
    if study in study_names(results):
        for run in read_study(results, study)[0].get("runs", ()):
            if "device_seconds" not in run:
                found[""] += run["seconds"]
    return dict(found)


def spent_in_folder(results: Path) -> dict[str, float]:
    """Return the seconds of all runs of all studies of a results folder, by device.

    Raises:
        LedgerError: a study's files are damaged.
    """
    found: defaultdict[str, float] = defaultdict(float)
    for study in study_names(results):
        for device, spent in spent_on_study(results, study).items():
            found[device] += spent
    return dict(found)


def _by_run(path: Path) -> dict[str, dict[str, float]]:
    """Return what each run has spent, as its last line says."""
    with files.os_errors(f"{str(path)!r} cannot be read"):
        try:
            lines = plain_files.read(path, plain_files.MOST_JSON_BYTES).splitlines()
        except FileNotFoundError:
            return {}
    found = {}
    for line in lines:
        with contextlib.suppress(ValueError):  # the last line of a writer that was killed
            run, seconds = _entry(plain_files.parsed(line), path)
            found[run] = seconds
    return found


def _entry(line: Any, path: Path) -> tuple[str, dict[str, float]]:
    run, seconds = (line.get("run"), line.get("seconds")) if isinstance(line, dict) else (None, None)
    if not isinstance(run, str) or not isinstance(seconds, dict) or not all(map(_is_duration, seconds.values())):
        raise LedgerError(f"{str(path)!r} does not hold what runs of a study spent; remove it")
    return run, {device: float(spent) for device, spent in seconds.items()}


def _is_duration(value: Any) -> bool:
    return isinstance(value, int | float) and value >= 0
