"""A results folder to read: its studies' answers, and every trial and evaluation in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.api.answer import Answer
from orchestrator.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Results", "load_results"]


class Results:
    """A results folder, read only.

    Args:
        folder: where it is.

    Raises:
        RequestError: there is no such folder.
    """

    def __init__(self, folder: str | Path = "results") -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise RequestError(f"there is no results folder {str(folder)!r}")

    @property
    def studies(self) -> list[str]:
        """Names of the studies in it."""
        from orchestrator.ledger import Ledger

        return list(Ledger(self.folder).studies.names())

    def study(self, name: str) -> Answer:
        """Return what it says of one study.

        Raises:
            UnknownNameError: there is no such study in it.
        """
        from analysis.data import study_view

        return Answer(study_view.load(self.folder, name))

    def trials(self) -> pd.DataFrame:
        """Return one row per trial, whichever study asked for it: config, knobs, metrics, state, cost."""
        from orchestrator.ledger import Ledger

        return Ledger(self.folder).trials()

    def epochs(self, trial_ids: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row per evaluation, of these trials or of all."""
        from orchestrator.ledger import Ledger

        ledger = Ledger(self.folder)
        wanted = list(ledger.trials()["trial_id"]) if trial_ids is None else list(trial_ids)
        return ledger.epochs(wanted)

    def show(self, family: str, paper: str = "") -> None:
        """Show a family of studies in a notebook, one by one; or a paper's tables with what they have beside them.

        Args:
            family: that of a method, as `entropy`, or `across`.
            paper: number of a paper on arXiv, as `2301.11405`; empty: the studies.
        """
        from orchestrator.api import shown

        if paper:
            shown.show_paper(self.folder, family, paper)
        else:
            shown.show_family(self.folder, family)

    def show_across(self) -> None:
        """Show in a notebook what only several studies together say."""
        from orchestrator.api.shown import show_across

        show_across(self.folder)

    def __repr__(self) -> str:
        return f"Results({str(self.folder)!r}: {', '.join(self.studies) or 'no study'})"


def load_results(folder: str | Path = "results") -> Results:
    """Return a results folder to read.

    Raises:
        RequestError: there is no such folder.
    """
    return Results(folder)
