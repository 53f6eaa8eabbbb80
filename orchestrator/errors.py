"""Every exception of the project, in one tree.

OrchestratorError
├── RequestError          the request was wrong: one line, exit status 2
│   ├── UnknownNameError      no such study, method, dataset, knob ...; says what there is
│   ├── LedgerLockedError     another driver holds the results folder
│   └── LedgerError           the results folder cannot be used (unreadable, newer schema)
├── DataError             a dataset cannot be had or holds what cannot be trained on
├── CodeMismatchError     a worker would run other code than the driver
├── FailureBudgetError    more trials failed than the study allows; exit status 1
└── InterruptedRunError   Ctrl-C or SIGTERM; nothing is lost; exit status 130
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "CodeMismatchError",
    "DataError",
    "FailureBudgetError",
    "InterruptedRunError",
    "LedgerError",
    "LedgerLockedError",
    "OrchestratorError",
    "RequestError",
    "UnknownNameError",
    "shown",
]


MOST_SIGNS = 2_000


class OrchestratorError(Exception):
    """Base of everything the project raises on purpose; its text is one readable line, whatever is quoted in it."""

    def __init__(self, text: object = "") -> None:
        super().__init__(_one_line(str(text), MOST_SIGNS))


class RequestError(OrchestratorError):
    """What was asked for cannot be done; the text names the value and what is allowed."""


FEW = 12
"""So many names are listed even where one of them is near what was written."""


class UnknownNameError(RequestError):
    """A name that does not exist, with the nearest one that does; with all if they are few or none is near."""

    def __init__(self, kind: str, name: object, known: Iterable[str]) -> None:
        names = sorted(map(str, known))
        near = _nearest(str(name), names) if isinstance(name, str) else []
        parts = [f"the nearest: {', '.join(near)}"] if near else []
        if not near or len(names) <= FEW:
            parts.append(f"there are: {', '.join(names) or '(none)'}")
        super().__init__(f"unknown {kind} {shown(name)}; {'; '.join(parts)}")

    def __reduce__(self) -> tuple[type[RequestError], tuple[object, ...]]:
        return RequestError, self.args  # to another process it is a line


def _nearest(name: str, names: list[str]) -> list[str]:
    """Return the names that look most like `name`, at most three, the best first."""
    import difflib

    folded = {known.lower(): known for known in names}
    return [folded[one] for one in difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.7)]


def shown(value: object, most: int = 80) -> str:
    """Return a value as a message names it: its `repr` in one line of at most `most` characters, whatever it is."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a number of thousands of digits; an object of a stranger
        text = f"a value of type {type(value).__name__}"
    return _one_line(text, most)


def _one_line(text: str, most: int) -> str:
    """Return a text in one line of printable signs, its end left out if it is long."""
    line = " ".join(text[: 4 * most].split())
    line = line if line.isprintable() else line.encode("ascii", "backslashreplace").decode()
    line = "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in line)
    return line if len(line) <= most else f"{line[: most - 3]}..."


class LedgerError(RequestError):
    """The results folder cannot be read or written, or its schema is newer than this program."""


class LedgerLockedError(RequestError):
    """Another driver writes to this results folder; the text says which."""


class DataError(OrchestratorError):
    """A dataset is absent, or holds values that no method can be trained on."""


class CodeMismatchError(OrchestratorError):
    """A worker's code digest differs from the driver's."""


class FailureBudgetError(OrchestratorError):
    """More trials failed than the study's failure budget allows."""


class InterruptedRunError(OrchestratorError):
    """The run was interrupted by a signal; everything complete is in the ledger."""
