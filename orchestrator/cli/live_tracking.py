"""Trackers beside a run: a process of its own adds trials as they end, so that none of them can hold up the run."""

from __future__ import annotations

import subprocess
import sys

from orchestrator.cli.options import RunOptions
from orchestrator.cli.output import say
from orchestrator.study import Study

__all__ = ["LiveTrackers"]

LEAVE_SECONDS = 30.0
"""So long the process may take to end after the run; then what is missing is written here."""


class LiveTrackers:
    """The trackers of one run that asks for some.

    Args:
        study: what is run.
        options: of the run; `tracker` names the trackers.

    Raises:
        UnknownNameError: there is none of a name.
        RequestError: a package is not installed.
    """

    def __init__(self, study: Study, options: RunOptions) -> None:
        self._study, self._options, self._targets = study, options, options.trackers
        self._process: subprocess.Popen[bytes] | None = None
        from orchestrator.inspection import tracking

        tracking.Trackers(options.results, study.key, self._targets, options.plugins)  # before anything trains

    def begin(self) -> None:
        """Start the process, when there is something to show; safe to call again."""
        if self._process is not None:
            return
        command = [sys.executable, "-m", "orchestrator", "export", self._study.key, "--follow"]
        command += ["--results", str(self._options.results)]
        for name, target in self._targets:
            command += ["--tracker", f"{name}={target}"]
        for plugin in self._options.plugins:
            command += ["--plugin", plugin]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)

    def finish(self) -> None:
        """Write what the process has not, and say where it is; the results folder is free by now."""
        from orchestrator.inspection import tracking

        self.close(LEAVE_SECONDS)
        results, plugins = self._options.results, self._options.plugins
        for line in tracking.exports(results, self._study.key, self._targets, plugins, follow=False):
            if not (self._options.as_json or self._options.quiet):
                say(line)

    def close(self, patience: float = 0.0) -> None:
        """End the process; what it leaves half-written is replaced by the next export."""
        process, self._process = self._process, None
        if process is not None:
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
