"""What a command may spend: hours of cores and cards, for itself, for a study or for a whole results folder."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import RequestError
from orchestrator.ledger.studies.spending import SpendingLog, spent_in_folder, spent_on_study

__all__ = ["Budget", "Spending"]

SCOPES = {"command": "this command", "study": "the study, all its runs", "folder": "the results folder, all runs"}
FORM = "HOURS, CARD=HOURS, study:HOURS or folder:CARD=HOURS, with HOURS above 0"


@dataclass(frozen=True)
class Budget:
    """Hours that may be spent."""

    hours: float
    device: str = ""
    """A part of the name of the devices that count; empty: all do."""
    scope: str = "command"

    @classmethod
    def of(cls, text: str) -> Budget:
        """Return the budget that an option asks for: `40`, `A100=40`, `study:40`, `folder:A100=200`.

        Raises:
            RequestError: it has another form.
        """
        scope, colon, rest = text.rpartition(":")
        device, sign, number = rest.rpartition("=")
        try:
            hours = float(number)
        except ValueError:
            hours = math.nan
        if not (0 < hours < math.inf) or (colon and scope not in SCOPES) or (sign and not device.strip()):
            raise RequestError(f"--budget-hours {text!r}: allowed are {FORM}")
        return cls(hours, device.strip(), scope or "command")

    def seconds(self, spent: Mapping[str, float]) -> float:
        """Return how many of the seconds count; what had not said its device counts for every budget."""
        wanted = self.device.lower()
        return sum(seconds for device, seconds in spent.items() if not device or wanted in device.lower())

    def __str__(self) -> str:
        what = f"hours of {self.device}" if self.device else "worker-hours"
        return f"{self.hours:g} {what} of {SCOPES[self.scope]}"


class Spending:
    """What the runs of one command spend, against its budgets.

    Args:
        results: the results folder.
        budgets: what may be spent.
    """

    def __init__(self, results: Path, budgets: Sequence[Budget] = ()) -> None:
        self._results, self._budgets = results, tuple(budgets)
        self._before = [0.0] * len(self._budgets)
        """Seconds that count for each budget, without the run under way."""
        self._ended: list[Mapping[str, float]] = []
        self._log: SpendingLog | None = None

    def begin(self, study: str) -> None:
        """Begin to count a run of a study.

        Raises:
            LedgerError: what was spent before cannot be read.
        """
        self._log = SpendingLog(self._results, study)
        self._before = [self._earlier(budget, study) for budget in self._budgets]

    def note(self, spent: Callable[[], Mapping[str, float]]) -> None:
        """Write now and then what the run under way has spent, by device."""
        if self._log is not None:
            self._log.note(spent)

    def end(self, spent: Mapping[str, float]) -> None:
        """Count the run under way as ended."""
        if self._log is not None:
            self._log.note(lambda: spent, last=True)
        self._ended.append(spent)
        self._log = None

    def exceeded(self, spent: Callable[[], Mapping[str, float]]) -> str:
        """Return which budget is spent, in words; empty: none.

        Args:
            spent: what the run under way has spent, by device; asked only where there is a budget.
        """
        if not self._budgets:
            return ""
        now = spent()
        for budget, before in zip(self._budgets, self._before, strict=True):
            if before + budget.seconds(now) > 3600 * budget.hours:
                return f"the budget of {budget} is spent"
        return ""

    def _earlier(self, budget: Budget, study: str) -> float:
        if budget.scope == "command":
            return sum(budget.seconds(spent) for spent in self._ended)
        whole = spent_on_study(self._results, study) if budget.scope == "study" else spent_in_folder(self._results)
        return budget.seconds(whole)
