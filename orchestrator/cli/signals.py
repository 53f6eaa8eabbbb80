"""What Ctrl-C and SIGTERM do to a command: it ends, with status 130 and the sentence that nothing is lost.

A handler that raised would not do: it may strike in the middle of an import, or of code that swallows exceptions. While
trials are trained, `session` has handlers of its own, which end a run in good order. This module loads nothing, so that
`main` can install it first of all.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from typing import NoReturn

__all__ = ["NOTHING_LOST", "SIGNALS", "exit_with", "install", "leave", "own_output_at"]

NOTHING_LOST = "nothing is lost: run the same command again to go on"
SIGNALS = (signal.SIGINT, signal.SIGTERM)
INTERRUPTED = 130
SHOW_CURSOR = b"\x1b[?25h"


_state = {"owns_process": False}

_output = {"descriptor": 1}
"""Where the command's own output goes (`output.kept_apart`)."""


def install() -> None:
    """Have Ctrl-C and SIGTERM end this process by `leave`, from now on: it is this command and nothing else."""
    _state["owns_process"] = True
    for number in SIGNALS:
        signal.signal(number, lambda *_: leave())


def own_output_at(descriptor: int) -> None:
    """Take down where the command's own output goes from now on."""
    _output["descriptor"] = descriptor


def leave() -> NoReturn:
    """End this process and all that it started, now. Rows are durable when they are written, so nothing is lost."""
    _end_children()
    text = f"interrupted; {NOTHING_LOST}"
    with contextlib.suppress(OSError):
        own = _output["descriptor"]
        if "--json" in sys.argv:
            os.write(own, f"{json.dumps({'error': text, 'exit_status': INTERRUPTED})}\n".encode())
        if os.isatty(own):
            os.write(own, SHOW_CURSOR)  # a progress display hides it
        os.write(2, f"orchestrate: {text}\n".encode())
    os._exit(INTERRUPTED)


def exit_with(status: int) -> NoReturn:
    """End this process; if it is the command and nothing else, without taking torch and Ray apart for a second.

    All that must last is written and closed by then, and nothing that was started still runs.
    """
    if _state["owns_process"]:
        with contextlib.suppress(OSError):  # nobody reads any more: the normal end says so
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    sys.exit(status)


def _end_children() -> None:
    psutil = sys.modules.get("psutil")  # whatever starts processes that outlive this one has loaded it
    if not hasattr(psutil, "Process"):
        return
    assert psutil is not None
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
