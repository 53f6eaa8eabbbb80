"""What a command may say: an answer, or a refusal in one line."""

from __future__ import annotations

import contextlib
import io
import json

from orchestrator.cli import main

TELL = ("run", "report", "merge", "retract", "clean")
"""Commands that say what they do while they do it."""


def said(arguments: list[str]) -> tuple[int, str]:
    """Return exit status and standard error of a command that says what it has to in one line, or in JSON."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as end:
            status = int(end.code or 0)
    judge(arguments, status, out.getvalue(), err.getvalue())
    return status, err.getvalue()


def judge(arguments: list[str], status: int, out: str, err: str) -> None:
    """Assert that a command's status and what it printed are an answer, or a refusal in one line."""
    lines = err.strip().splitlines()
    assert status in (0, 1, 2), (status, lines)
    assert "Traceback" not in err + out, (err + out)[-2000:]
    if arguments[0] in TELL:
        lines = [line for line in lines if line.startswith("orchestrate: ")]
    if status == 2 or (status and arguments[0] not in TELL):
        assert len(lines) == 1, lines
        assert lines[0].startswith("orchestrate: ")
        assert lines[0].isprintable()
    elif not status and "--json" in arguments and "--help" not in arguments:
        json.loads(out, parse_constant=lambda word: (_ for _ in ()).throw(ValueError(word)))
