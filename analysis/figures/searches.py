"""Figures and tables of searches: history of the objective, the objective over every knob, where it collapsed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import chain, compress
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.data.study_view import StudyView
from analysis.figures.drawing import BLACK, GREY, PALETTE, Drawing, canvas, tidy
from analysis.number_format import label, number
from analysis.sensitivity.distributions import log_scaled
from analysis.sensitivity.estimators import curve
from analysis.sensitivity.fronts import front
from analysis.sensitivity.trade_offs import trade_offs
from analysis.svg.figure import Panel
from analysis.tables.formats import as_html
from analysis.tables.search_table import search_table
from orchestrator.inference.objectives import recorded_objectives

__all__ = ["figures_of_searches", "history", "pareto"]

MOST_LISTED = 10


def history(study: StudyView, search: Mapping[str, Any]) -> dict[str, str]:
    """Return title, sentence, HTML tables (best by the rule; Pareto set, if there is one) and note of one search."""
    table = search_table(study, search)
    rule = search["rules"][0]
    complete = int((table["state"] == "complete").sum())
    gone = int((table["collapsed"] > 0).sum())
    earlier = int(table["earlier"].sum())
    began = f" It began from {earlier} earlier configurations of the ledger, marked *." if earlier else ""
    choice = f"number {search['chosen_number']}" if search.get("chosen_number") is not None else "none yet"
    goes_by = recorded_objectives(search)
    best = table.sort_values("objective", ascending=not goes_by[0].maximize, kind="stable").head(MOST_LISTED)
    knobs = list(search["space"])
    head = ["number", *knobs, label(str(rule)), f"{label(study.metric)} (not used)", "collapsed", "chosen"]
    body = []
    for place, row in best.iterrows():
        scores = [number(float(row["objective"])), number(float(row["metric"]), study.metric)]
        ends = [_percent(row["collapsed"]), "yes" if row["chosen"] else ""]
        body.append([_numbered(place, earlier=row["earlier"]), *map(_knob_text, row[knobs]), *scores, *ends])
    return {
        "title": f"{search['method']} on {search['dataset']}",
        "sentence": (
            f"{len(table)} configurations ({complete} complete, {gone} with a collapsed seed) on {search['n_seeds']} "
            f"search seeds each, proposed by {search['sampler']}, compared by {label(str(rule))}; chosen: {choice}."
            + began
        ),
        "table": as_html(head, body),
        "pareto": _pareto_table(study, search),
        "note": " ".join(
            [
                f"The {len(best)} best by the rule. {label(study.metric)} was looked at afterwards; a configuration "
                f"with a collapsed seed is never chosen. Ranges: {_ranges_text(search['space'])}.",
                *filter(None, (objective.note(search["space"]) for objective in goes_by)),
            ]
        ),
    }


def _ranges_text(space: Mapping[str, object]) -> str:
    return "; ".join(f"{knob}: {_domain_text(domain)}" for knob, domain in space.items())


def _numbered(place: object, *, earlier: bool) -> str:
    """Return the number of a configuration; one that was in the ledger before bears a star."""
    return f"{place}*" if earlier else str(place)


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{100 * share:.0f} %"


def pareto(search: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the history entries that no other one dominates: as good in every objective, and better in one.

    Configurations that failed, were pruned or have a collapsed seed are left out.
    """
    able, scores = [], []
    for entry in search["history"]:
        values = entry.get("objective")
        if entry["state"] == "complete" and entry.get("feasible", True) and values and np.isfinite(values).all():
            able.append(entry)
            scores.append(values)
    signs = [objective.sign for objective in recorded_objectives(search)]
    kept = front(np.array(scores).reshape(len(able), len(signs)) * signs)
    return list(compress(able, kept))


def _pareto_table(study: StudyView, search: Mapping[str, Any]) -> str:
    """Return the Pareto set of a search with several objectives as HTML, best first objective first; else nothing.

    With intervals over search seeds, and in which share of resampled seeds a configuration is on the front.
    """
    if len(search["rules"]) < 2:
        return ""
    knobs, rules = list(search["space"]), list(map(str, search["rules"]))
    entries = {entry["number"]: entry for entry in search["history"]}
    table = trade_offs(study, search)
    head = ["number", *knobs, *map(label, rules), "on the front of resampled seeds", "chosen"]
    body = []
    for place, row in table[table["on_front"]].iterrows():
        entry = entries[place]
        line = [_numbered(place, earlier=bool(entry.get("warm_start")))]
        line += [_knob_text(entry["values"].get(knob)) for knob in knobs]
        for rule in rules:
            line.append(f"{number(row[rule])} ({number(row[f'{rule}.low'])} to {number(row[f'{rule}.high'])})")
        line += [_percent(row["share"]), "yes" if place == search.get("chosen_number") else ""]
        body.append(line)
    return as_html(head, body)


def _knob_text(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _domain_text(domain: object) -> str:
    """Return a range of the record as people write it: "1 to 1000 (log)", "reverse, forward"."""
    if not isinstance(domain, dict):
        return str(domain)
    if domain["kind"] == "choice":
        return ", ".join(map(str, domain["options"]))
    step = f" in steps of {domain['step']:g}" if domain.get("step") is not None else ""
    return f"{domain['low']:g} to {domain['high']:g}{step}{' (log)' if domain.get('log') else ''}"


def figures_of_searches(study: StudyView) -> list[Drawing]:
    """Return the figures of every search of the study."""
    found = []
    for place, search in enumerate(study.record.get("searches", ())):
        table = search_table(study, search)
        if table["objective"].notna().sum() >= 3:
            found.append(knobs_figure(search, table, f"search_{place}"))
    return found


def knobs_figure(search: Mapping[str, Any], table: pd.DataFrame, key: str) -> Drawing:
    """Draw the objective over the course of the search and over every searched knob, with intervals over seeds."""
    knobs = list(search["space"])
    panels = 1 + len(knobs)
    across = min(3, panels)
    down = math.ceil(panels / across)
    figure, grid = canvas(down, across, (3.5 * across, 2.9 * down), share_y=True)
    flat = list(chain.from_iterable(grid))
    _panel(flat[0], table, table.index.to_series().astype(float), "configuration")
    for axes, knob in zip(flat[1:], knobs, strict=False):
        _knob_panel(axes, table, knob, search["space"][knob])
    for axes in flat[panels:]:
        axes.visible = False
    rule = str(search["rules"][0])
    for line in grid:
        line[0].y_label = label(rule)
    caption = (
        f"{label(rule)} of every configuration of the search of {search['method']} on {search['dataset']}: points are "
        "means over search seeds with their 95 % t intervals, crosses have a collapsed seed, the star is the choice; "
        "green: means over bins of equally many configurations with their intervals."
    )
    return Drawing(key, f"Search of {search['method']} on {search['dataset']}", caption, figure)


def _knob_panel(axes: Panel, table: pd.DataFrame, knob: str, domain: object) -> None:
    values = pd.to_numeric(table[knob], errors="coerce")
    if values.isna().any() or table[knob].map(lambda value: isinstance(value, bool)).any():
        texts = table[knob].astype(str)
        levels = _in_order(texts.unique(), domain)
        values = texts.map(dict(zip(levels, range(len(levels)), strict=True)))
        axes.x.name(range(len(levels)), levels)
    else:
        logarithmic = log_scaled(values.min(), values.max())
        _trend(axes, table, values.to_numpy(dtype=np.float64), logarithmic)
        if logarithmic:
            axes.x.be_logarithmic()
            axes.x.small_ticks = False
    _panel(axes, table, values.astype(float), knob)


def _in_order(levels: Iterable[str], domain: object) -> list[str]:
    """Return options as the search names them: small before large, (64,) before (64, 64); unknown ones at the end."""
    options = list(map(str, domain.get("options", ()))) if isinstance(domain, Mapping) else []
    return sorted(levels, key=lambda level: (options.index(level) if level in options else len(options), level))


def _trend(axes: Panel, table: pd.DataFrame, x: NDArray[np.float64], logarithmic: bool) -> None:
    """Draw the marginal curve behind the points: means over bins with equal numbers of configurations."""
    if table["objective"].notna().sum() < 9:
        return
    line = curve(np.log(x) if logarithmic else x, table["objective"].to_numpy(dtype=np.float64))
    place = np.exp(line["x"]) if logarithmic else line["x"]
    axes.fill(place, line["low"], line["high"], colour=PALETTE[2], alpha=0.2)
    axes.plot(place, line["mean"], colour=PALETTE[2], width=1.6)


def _panel(axes: Panel, table: pd.DataFrame, x: pd.Series, text: str) -> None:
    gone = table["collapsed"].fillna(0) > 0
    below = (table["objective"] - table["low"]).fillna(0).clip(lower=0)
    above = (table["high"] - table["objective"]).fillna(0).clip(lower=0)
    ends = np.array([[x, table["objective"] - below], [x, table["objective"] + above]])  # end, coordinate, line
    axes.segments(ends.transpose(2, 0, 1), colour=GREY, width=0.8, alpha=0.7)
    axes.plot(x[~gone], table.loc[~gone, "objective"], "o", colour=PALETTE[0], size=4)
    axes.plot(x[gone], table.loc[gone, "objective"], "x", colour=PALETTE[1], size=5)
    chosen = table["chosen"]
    axes.plot(x[chosen], table.loc[chosen, "objective"], "*", colour=BLACK, size=13, order=4)
    heights = table["objective"].dropna()
    room = 0.08 * float(np.ptp(heights)) or 0.1 * (abs(float(heights.iloc[0])) or 1.0)
    axes.y.ends = (float(heights.min()) - room, float(heights.max()) + room)  # wide intervals must not hide the points
    axes.x_label = text
    tidy(axes)
