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
]


class OrchestratorError(Exception):
    """Base of everything the project raises on purpose; its text is one readable line."""


class RequestError(OrchestratorError):
    """What was asked for cannot be done; the text names the value and what is allowed."""


class UnknownNameError(RequestError):
    """A name that does not exist, with the ones that do."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"unknown {kind} {name!r}; there are: {', '.join(sorted(known)) or '(none)'}")


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
