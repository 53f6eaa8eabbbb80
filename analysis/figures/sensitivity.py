"""Sensitivity for the reader: per search and per screening design a sentence, a table and a figure with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.study_view import StudyView
from analysis.figures.drawing import BLACK, GREY, PALETTE, Drawing, canvas, fitted, tidy
from analysis.figures.knob_maps import collapse_map
from analysis.figures.section import Section
from analysis.number_format import join, label, number, scale, signed
from analysis.sensitivity import estimators, screening
from analysis.sensitivity.importance import Importance, importances
from analysis.sensitivity.screening import Screening
from analysis.tables.formats import as_html
from analysis.verdicts.verdicts import Verdict

__all__ = ["Section", "sections"]


def sections(study: StudyView, found: Sequence[Verdict], known: Sequence[Importance] | None = None) -> list[Section]:
    """Return what the study says about sensitivity: searches, screening designs, components taken away and put in.

    Args:
        study: the view.
        found: its verdicts.
        known: the importances of its searches; None: they are estimated.
    """
    made = list(map(_of_search, importances(study) if known is None else known))
    for place, one in enumerate(screening.screenings(study)):
        made.append(_of_screening(study, one, f"screening_{place}"))
    components = _of_components(study, found)
    return made if components is None else [*made, components]


def _of_search(found: Importance) -> Section:
    """PED-ANOVA with intervals and fANOVA once, of the rule that the search maximised."""
    shares, variance, key = found.shares, found.variance, f"importance_{found.place}"
    rule, where = label(found.rule), found.where
    tau = estimators.rank_agreement(shares["importance"], variance)
    agreement = "" if math.isnan(tau) else f" The two rankings agree with Kendall's tau {tau:.2f}."
    top = str(shares.index[0])
    lead = f"{top} matters most" if found.clear else f"No knob is clearly first; {top} has the largest share"
    sentence = (
        f"{lead} in reaching the best configurations of {where} by {rule} (PED-ANOVA over {found.n_configurations} "
        f"configurations, 95 % bootstrap intervals); fANOVA, the share of the variance over the whole space, stands "
        f"beside it.{agreement} Descriptive: a search samples where it expects good configurations."
    )
    body = [[str(knob), _share(row), f"{100 * variance[str(knob)]:.0f} %"] for knob, row in shares.iterrows()]
    caption = (
        f"Share of each knob in reaching the best configurations of {where} by {rule}: PED-ANOVA with 95 % bootstrap "
        "intervals over configurations; open circles are fANOVA's shares of variance."
    )
    words = (key, f"Importance of the knobs of {where}", caption, "importance (%)")
    drawing = _dots(words, _columns(shares, ("importance", "low", "high"), 100.0), 100.0 * variance)
    collapse = None
    if len(shares) > 1:
        first, second = map(str, shares.index[:2])
        key = key.replace("importance", "collapse_map")
        collapse = collapse_map(found.configurations, (first, second), where, key)
    drawings = (drawing,) if collapse is None else (drawing, collapse)
    html = as_html(["knob", "PED-ANOVA [95 %]", "fANOVA"], body)
    return Section(f"Importance: {where}", sentence, html, drawings)


def _share(row: pd.Series[float]) -> str:
    return f"{100 * row['importance']:.0f} % [{100 * row['low']:.0f}, {100 * row['high']:.0f}]"


def _dots(words: tuple[str, str, str, str], table: pd.DataFrame, beside: pd.Series[float] | None = None) -> Drawing:
    """Draw one line a knob.

    Args:
        words: key, title, caption and the axis' label.
        table: index knob; columns middle, low, high, in printed units.
        beside: a second estimate without an interval, as open circles.
    """
    figure, grid = canvas(1, 1, (6.4, 1.2 + 0.38 * len(table)))
    axes = grid[0][0]
    for place, (middle, low, high) in enumerate(table[["middle", "low", "high"]].to_numpy(dtype=np.float64)):
        if math.isfinite(low):
            axes.plot([low, high], [place, place], "|-", colour=PALETTE[0], width=2, size=8)
        axes.plot([middle], [place], "D", colour=PALETTE[0], size=6, order=3)
    if beside is not None:
        places = np.arange(len(table)) + 0.22
        axes.plot(beside[table.index], places, "o", colour=BLACK, face="white", size=5)
    axes.rule(0, colour=GREY, width=0.8)
    axes.y.name(range(len(table)), fitted(list(map(str, table.index))))
    axes.y.ends = (len(table) - 0.5, -0.5)
    key, title, caption, axis = words
    axes.x_label = axis
    tidy(axes, "x")
    return Drawing(key, title, caption, figure)


def _columns(table: pd.DataFrame, names: tuple[str, str, str], factor: float) -> pd.DataFrame:
    return factor * table[list(names)].set_axis(["middle", "low", "high"], axis=1)


def _of_screening(study: StudyView, one: Screening, key: str) -> Section:
    where, metric = f"{one.method} on {one.dataset}", study.metric
    name = "Morris screening" if one.kind == "morris" else "Sobol indices"
    title = f"{name}: {where}"
    if one.refused:
        return Section(title, f"No indices: {one.refused}.", "", ())
    over = f"{one.n_points} configurations, {one.n_seeds} seed{'s' * (one.n_seeds != 1)}"
    if one.kind == "morris":
        column, axis, factor = "mu_star", f"mu*: mean absolute effect on {label(metric)}", scale(metric)
        ends = ("low", "high")
        caption = f"Morris mu* of {where} ({over}) with 95 % t intervals over seeds; for ranking, not a test."
    else:
        column, axis, factor = "ST", f"total share of the variance of {label(metric)} (%)", 100.0
        ends = ("ST_low", "ST_high")
        caption = f"Sobol total indices of {where} ({over}) with SALib's 95 % bootstrap intervals; open circles are S1."
    table = one.table
    beside = 100.0 * table["S1"] if one.kind == "sobol" else None
    drawing = _dots((key, title, caption, axis), _columns(table, (column, *ends), factor), beside)
    sentence = f"{table.index[0]} has the largest influence on {label(metric)} ({over}). Descriptive, not a test."
    return Section(title, sentence, _screening_table(one, metric), (drawing,))


def _screening_table(one: Screening, metric: str) -> str:
    """Return the influence of every knob as HTML, with its interval and the second number of its kind."""
    body = []
    for knob, row in one.table.iterrows():
        if one.kind == "morris":
            ends = f"[{number(row['low'], metric)}, {number(row['high'], metric)}]"
            cells = [f"{number(row['mu_star'], metric)} {ends}", number(float(row["sigma"]), metric)]
        else:
            cells = [_percent(row, "S1"), _percent(row, "ST")]
        body.append([str(knob), *cells])
    morris, sobol = ("mu* [95 % over seeds]", "sigma"), ("S1 [95 %]", "ST [95 %]")
    return as_html(["knob", *(morris if one.kind == "morris" else sobol)], body)


def _percent(row: pd.Series[float], kind: str) -> str:
    return f"{100 * row[kind]:.0f} % [{100 * row[f'{kind}_low']:.0f}, {100 * row[f'{kind}_high']:.0f}]"


def _of_components(study: StudyView, found: Sequence[Verdict]) -> Section | None:
    """Taking each component away beside putting it in alone."""
    table, metric = estimators.switched(found), study.metric
    if table.empty:
        return None
    flagged, body = [], []
    for (component, dataset), (_, row) in zip(table.index.to_list(), table.iterrows(), strict=True):
        if row["disagree"]:
            flagged.append(f"{component} on {dataset}")
        sides = [_side(row, "removal", metric), _side(row, "addition", metric)]
        body.append([str(component), str(dataset), *sides, "yes" if row["disagree"] else ""])
    sentence = (
        f"Taking away and putting in disagree for {join(flagged)}: the components interact."
        if flagged
        else "Taking a component away and putting it in alone disagree for none of them."
    )
    head = ["component", "data", "given by it in the whole [95 %]", "given by it alone [95 %]", "disagree"]
    return Section("What each component gives", sentence, as_html(head, body), (_components_figure(table, metric),))


def _side(row: pd.Series[Any], side: str, metric: str) -> str:
    low, high = signed(row[f"{side}_low"], metric), signed(row[f"{side}_high"], metric)
    return f"{signed(row[f'by_{side}'], metric)} [{low}, {high}]"


def _components_figure(table: pd.DataFrame, metric: str) -> Drawing:
    figure, grid = canvas(1, 1, (7.0, 1.4 + 0.5 * len(table)))
    axes = grid[0][0]
    for shift, side, colour, marker in ((-0.15, "removal", PALETTE[0], "D"), (0.15, "addition", PALETTE[1], "o")):
        text = "taken away from the whole" if side == "removal" else "put in alone"
        for place, (_, row) in enumerate(table.iterrows()):
            low, high = scale(metric) * float(row[f"{side}_low"]), scale(metric) * float(row[f"{side}_high"])
            if math.isfinite(low) and math.isfinite(high):
                axes.plot([low, high], [place + shift] * 2, "|-", colour=colour, width=2, size=8)
            middle = scale(metric) * row[f"by_{side}"]
            axes.plot([middle], [place + shift], marker, colour=colour, size=6, label=text)
    axes.rule(0, colour=BLACK, width=0.9)
    several = table.index.get_level_values("dataset").nunique() > 1
    names = [f"{component}\n{dataset}" if several else str(component) for component, dataset in table.index.to_list()]
    axes.y.name(range(len(names)), fitted(names))
    axes.y.ends = (len(names) - 0.5, -0.5)
    axes.x_label = f"what the component gives in {label(metric)}"
    tidy(axes, "x")
    figure.legend = axes.labelled()
    caption = (
        f"What each component gives in {label(metric)}, measured by taking it away from the whole method and by "
        "putting it alone into the bare one; bars are intervals that invert the sign-flip test."
    )
    return Drawing("components", "Taken away, put in", caption, figure)
