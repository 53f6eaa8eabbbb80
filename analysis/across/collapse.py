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
from analysis.tables.formats import as_html

__all__ = ["collapse_section", "collapse_shares"]


def collapse_shares(studies: Sequence[StudyView]) -> pd.DataFrame:
    """Return, per method, how many different complete trials there are and how many collapsed.

    Index: method; `trials`, `collapsed`, `share`, and `low`, `high`: its 95 % Clopper-Pearson interval. A trial that
    several studies ask for counts once. Shares depend on what the studies tried: they compare no methods.
    """
    rows = pd.concat([study.rows for study in studies], ignore_index=True)
    once = rows[rows["state"] == "complete"].drop_duplicates("trial_id")
    counts = once.groupby("method")["collapsed"].agg(["size", "sum"]).astype(int)
    found = counts.rename(columns={"size": "trials", "sum": "collapsed"})
    found["share"] = found["collapsed"] / found["trials"]
    low, high = [], []
    for trials, collapsed in found[["trials", "collapsed"]].to_numpy():
        interval = stats.binomtest(int(collapsed), int(trials)).proportion_ci(0.95)
        low.append(interval.low)
        high.append(interval.high)
    found["low"], found["high"] = low, high
    return found.sort_values("share", ascending=False)


def collapse_section(studies: Sequence[StudyView]) -> Section | None:
    """Return shares and maps; None if nothing collapsed."""
    shares = collapse_shares(studies)
    if shares.empty or not shares["collapsed"].any():
        return None
    maps: list[Drawing] = []
    for study in studies:
        maps += _maps(study)
    never = shares.index[shares["collapsed"] == 0].astype(str).to_list()
    sentence = (
        "Collapsed: the perplexity of hard cluster sizes below half their number, one cluster with more than 90 % of "
        "the points, or features without spread. Shares are over all different trials of the ledger and depend on what "
        "was tried, so they compare no methods." + (f" Never here: {join(never)}." if never else "")
    )
    body = []
    for method, row in shares.iterrows():
        share = f"{100 * row['share']:.1f} % [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"
        body.append([str(method), f"{row['trials']:.0f}", f"{row['collapsed']:.0f}", share])
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
