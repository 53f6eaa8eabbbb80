"""What a results folder says of one study, as data frames, sentences and figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from analysis.data.study_view import StudyView
    from analysis.pages.parts import Parts

__all__ = ["Answer"]


class Answer:
    """What a results folder says of one study; nothing is trained and no number is typed in.

    Args:
        view: the study's plan joined with its rows.
    """

    def __init__(self, view: StudyView) -> None:
        self._view = view

    @property
    def name(self) -> str:
        """The study's name."""
        return self._view.name

    @property
    def question(self) -> str:
        """What it asks."""
        return str(self.record["question"])

    @property
    def record(self) -> Mapping[str, Any]:
        """Its study.json; `orchestrator.study` lists the fields."""
        return self._view.record

    @property
    def heading(self) -> str:
        """What all sentences have in common: data, tier, seeds, what is promised, what cannot be known."""
        from analysis.verdicts.verdicts import heading

        return heading(self._view)

    @property
    def sentences(self) -> list[str]:
        """One verdict a contrast, in the order of `contrasts`."""
        return [one.sentence for one in self._parts.found]

    def trials(self) -> pd.DataFrame:
        """Return one row per planned trial: the plan's columns, knobs, metrics, state, cost; missing ones too."""
        return self._view.rows.copy()

    def epochs(self) -> pd.DataFrame:
        """Return one row per evaluation of the complete trials, those of searches too."""
        from analysis.data import study_view

        return study_view.epochs_of(self._view, self._view.rows)

    def arms(self) -> pd.DataFrame:
        """Return one row per arm: planned, complete, collapsed, failed, pruned, missing, and the mean of the metric."""
        from analysis.data import study_view

        table = study_view.arm_table(self._view)
        values = study_view.arm_seed_values(self._view, self._view.metric).by_seed()
        means = []
        for arm in map(str, table.index):
            own = values.get(arm)
            means.append(sum(own.values()) / len(own) if own else math.nan)
        return table.assign(**{self._view.metric: means})

    def contrasts(self) -> pd.DataFrame:
        """Return one row per contrast, as it was judged.

        Columns: contrast, dataset, words (the verdict in short), estimate (mean paired difference where both work, in
        the metric's units), low, high (its interval), p, p_corrected, n_pairs, works (how often), sentence.
        """
        import pandas as pd

        lines = []
        for one in self._parts.found:
            judgement = one.judgement
            lines.append(
                {
                    "contrast": one.contrast.name,
                    "dataset": one.dataset,
                    "words": one.words,
                    "estimate": judgement.estimate,
                    "low": judgement.interval.low,
                    "high": judgement.interval.high,
                    "p": judgement.p,
                    "p_corrected": judgement.p_corrected,
                    "n_pairs": judgement.n_pairs,
                    "works": one.works,
                    "sentence": one.sentence,
                }
            )
        return pd.DataFrame(lines)

    def searches(self) -> list[pd.DataFrame]:
        """Return one table a search, a row a configuration: knobs, objective with interval, state, which was chosen."""
        from analysis.tables.search_table import search_table

        return [search_table(self._view, search) for search in self.record.get("searches", ())]

    def trade_offs(self) -> list[pd.DataFrame]:
        """Return one table a search with several objectives: means with intervals, and which are on the front."""
        from analysis.sensitivity.trade_offs import trade_offs

        several = [search for search in self.record.get("searches", ()) if len(search["rules"]) > 1]
        return [trade_offs(self._view, search) for search in several]

    def figures(self) -> dict[str, Figure]:
        """Return the figures of the report by their names; a notebook shows one that a cell ends in."""
        from analysis.figures.matplotlib_figures import matplotlib_figure
        from analysis.pages.study_page import drawings_of

        drawn, _ = drawings_of(self._parts)
        return {one.key: matplotlib_figure(one.figure) for one in drawn}

    def show(self, part: str = "words") -> None:
        """Show a part in a notebook: `words`, `table`, `published` (beside papers), `figures` or `searches`.

        Raises:
            UnknownNameError: there is no such part.
        """
        from orchestrator.api.shown import show_part

        show_part(self._view, part)

    def report(self, out: str | Path = "answers") -> Path:
        """Write report.html with figures and tables into a folder and return its path."""
        from analysis.pages import report

        report.build_view(self._view, Path(out), notebook=False)
        return Path(out) / "studies" / self.name / "report.html"

    @cached_property
    def _parts(self) -> Parts:
        from analysis.pages.parts import parts_of

        return parts_of(self._view)

    def __repr__(self) -> str:
        return (
            f"Answer({self.name!r}: {len(self._view.rows)} trials, {len(self.record.get('contrasts', ()))} contrasts)"
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows: question, answer and effects, as the report's first screen has them."""
        from analysis.pages.study_page import card

        return card(self._parts)
