"""Where each method collapses: shares over all trials of a ledger, and the maps of studies that cross two knobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
from scipy import stats

from analysis.data.study_view import StudyView
from analysis.figures import knob_maps
from analysis.figures.drawing import Drawing
from analysis.figures.section import Section
from analysis.number_format import join
from analysis.tables import arm_tables
from analysis.tables.arm_tables import as_html

__all__ = ["collapse_section", "collapse_shares"]


def collapse_shares(studies: Sequence[StudyView]) -> pd.DataFrame:
    """Return, per method, how many different complete trials there are and how many collapsed.

    Index: method; `trials`, `collapsed`, `share`, and `low`, `high`: its 95 % Clopper-Pearson interval. A trial that
    several studies ask for counts once. Shares depend on what the studies tried: they compare no methods.
    """
    rows = pd.concat([study.rows[study.rows["state"] == "complete"] for study in studies], ignore_index=True)
    once = rows.drop_duplicates("trial_id")
    counts = once.groupby("method")["collapsed"].agg(["size", "sum"]).astype(int)
    found = counts.rename(columns={"size": "trials", "sum": "collapsed"})
    ends = [stats.binomtest(int(k), int(n)).proportion_ci(0.95) for n, k in found.to_numpy()]
    found["share"] = found["collapsed"] / found["trials"]
    found["low"], found["high"] = [end.low for end in ends], [end.high for end in ends]
    return found.sort_values("share", ascending=False)


def collapse_section(studies: Sequence[StudyView]) -> Section | None:
    """Return shares and maps; None if nothing collapsed."""
    shares = collapse_shares(studies)
    if shares.empty or not shares["collapsed"].any():
        return None
    maps = [drawing for study in studies for drawing in _maps(study)]
    never = [str(method) for method in shares.index[shares["collapsed"] == 0]]
    sentence = (
        "Collapsed: the perplexity of hard cluster sizes below half their number, one cluster with more than 90 % of "
        "the points, or features without spread. Shares are over all different trials of the ledger and depend on what "
        "was tried, so they compare no methods." + (f" Never here: {join(never)}." if never else "")
    )
    body = [
        [
            str(method),
            str(int(row["trials"])),
            str(int(row["collapsed"])),
            f"{100 * row['share']:.1f} % [{100 * row['low']:.1f}, {100 * row['high']:.1f}]",
        ]
        for method, row in shares.iterrows()
    ]
    table = as_html(["method", "trials", "collapsed", "share [95 %]"], body)
    return Section("Where each method collapses", sentence, table, tuple(maps))


def _maps(study: StudyView) -> list[Drawing]:
    """Return the study's maps over two knobs, if any of its trials collapsed; keys name the study."""
    if not study.rows["collapsed"].any():
        return []
    rows = arm_tables.shown(arm_tables.arm_rows(study, []))
    return [
        replace(drawing, key=f"{drawing.key}_{study.name}", title=f"{study.name}: {drawing.title}")
        for drawing in knob_maps.grid_figures(study, rows)
    ]
