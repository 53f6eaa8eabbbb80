"""What choosing a configuration without labels costs, rule by rule, over every search of the ledger."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.across.knob_importance import distinct_searches
from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.figures.drawing import BLACK, GREY, PALETTE, Drawing, canvas, tidy
from analysis.figures.section import Section
from analysis.number_format import label, name, scale, signed, unit
from analysis.tables.arm_tables import mean_interval
from analysis.tables.formats import as_html
from orchestrator.inference.optimism import FEWEST_SEEDS, crossed_gain
from orchestrator.inference.selection import choose_configuration, configuration_rules

__all__ = ["label_free_section", "rule_costs"]

FEWEST = 8
"""Configurations below which no rule has much to choose from."""


def rule_costs(studies: Sequence[StudyView]) -> pd.DataFrame:
    """Return one row per search and label-free rule whose metrics its trials have.

    Columns: study, method, dataset, rule, configurations, chosen (number), `cost`: what the oracle has more if both
    choose on one half of the search seeds and are judged on the other (ledger's units; nan below 4 seeds), `agreement`:
    Spearman's rank correlation of the rule's score with the metric over the configurations that it considers.
    """
    lines = []
    for study, search in distinct_searches(studies):
        tables, collapsed = _tables(study, search)
        external = tables.get(study.metric)
        if external is None or len(external) < FEWEST or external.shape[1] < 2:
            continue
        for rule, metrics in configuration_rules().items():
            if not tables.keys() >= set(metrics):
                continue
            choice = choose_configuration({metric: tables[metric] for metric in metrics}, collapsed, rule)
            if choice.chosen is None:
                continue
            cost = math.nan  # of a sum of ranks, or of search seeds that have no halves
            if len(metrics) == 1:
                cost = crossed_gain(external.to_numpy(), tables[metrics[0]].to_numpy(), ~collapsed).gain
            lines.append(
                {
                    "study": study.name,
                    "method": search["method"],
                    "dataset": search["dataset"],
                    "rule": rule,
                    "configurations": len(external),
                    "chosen": int(external.index[choice.chosen]),
                    "cost": cost,
                    "agreement": _agreement(choice.scores, external.mean(axis=1).to_numpy()),
                }
            )
    return pd.DataFrame(lines)


def _tables(study: StudyView, search: Mapping[str, Any]) -> tuple[dict[str, pd.DataFrame], NDArray[np.bool_]]:
    """Return metric -> (configurations, seeds) of configurations that are complete, and their flags of collapse."""
    rows = study_view.search_rows(study, search)
    rows = rows[rows["state"] == "complete"]
    if rows.empty:
        return {}, np.zeros((0, 0), dtype=bool)
    flags = rows.pivot_table(index="configuration", columns="seed", values="collapsed", aggfunc="max").dropna()
    wanted = {study.metric}.union(*configuration_rules().values())
    tables = {}
    for metric in wanted:
        column = f"metric.{metric}"
        if column in rows and rows[column].notna().any():
            table = rows.pivot_table(index="configuration", columns="seed", values=column)
            tables[metric] = table.reindex(index=flags.index, columns=flags.columns)
    external = tables.get(study.metric)
    if external is None:
        return {}, np.zeros((0, 0), dtype=bool)
    kept = external.dropna().index
    return {metric: table.loc[kept] for metric, table in tables.items()}, flags.loc[kept].to_numpy(dtype=bool)


def _agreement(scores: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    there = np.isfinite(scores)
    if there.sum() < 3 or np.ptp(scores[there]) == 0 or np.ptp(values[there]) == 0:
        return math.nan
    return float(stats.spearmanr(scores[there], values[there]).statistic)


def label_free_section(studies: Sequence[StudyView]) -> Section | None:
    """Return the price of every rule over all searches; None without a search to choose from."""
    table = rule_costs(studies)
    if table.empty:
        return None
    metric = studies[0].metric
    lines = []
    for rule, own in table.groupby("rule"):
        cell = mean_interval(own["cost"].dropna().to_numpy(dtype=np.float64))
        lines.append((str(rule), cell, float(own["agreement"].mean()), len(own)))
    lines.sort(key=lambda line: (math.isnan(line[1].mean), line[1].mean))
    rule, cell, _, _ = lines[0]
    missing = [rule for rule in configuration_rules() if rule not in set(table["rule"])]
    cheapest = (
        f"What labels would have added is not given: both must choose on a half of {FEWEST_SEEDS} search seeds or more."
        if math.isnan(cell.mean)
        else f"Cheapest on average over {cell.n} searches is {name(rule)}: labels would have added "
        f"{signed(cell.mean, metric)}{unit(metric)} of {name(metric)} on seeds on which neither chose."
    )
    sentence = f"{cheapest} Descriptive: searches share data sets and methods, so they are no independent sample." + (
        f" Not measured here: {', '.join(map(name, missing))}." if missing else ""
    )
    body = []
    for rule, cell, agreement, count in lines:
        added = f"{signed(cell.mean, metric)} [{signed(cell.low, metric)}, {signed(cell.high, metric)}]"
        body.append([name(rule), added, f"{agreement:.2f}", str(count)])
    head = ["rule", f"labels would add, {label(metric)} [95 % over searches]", "rank agreement", "searches"]
    figure = _figure(table, [line[0] for line in lines], metric)
    return Section("What choosing without labels costs", sentence, as_html(head, body), (figure,))


def _figure(table: pd.DataFrame, rules: Sequence[str], metric: str) -> Drawing:
    figure, grid = canvas(1, 2, (9.4, 1.4 + 0.5 * len(rules)), share_y=True)
    for axes, column, factor in ((grid[0][0], "cost", scale(metric)), (grid[0][1], "agreement", 1.0)):
        for place, rule in enumerate(rules):
            values = factor * table.loc[table["rule"] == rule, column].dropna().to_numpy(dtype=np.float64)
            axes.plot(values, np.full(len(values), place + 0.16), ".", colour=GREY, size=6)
            cell = mean_interval(values)
            if math.isfinite(cell.low):
                axes.plot([cell.low, cell.high], [place - 0.14] * 2, "|-", colour=PALETTE[0], width=2, size=8)
            axes.plot([cell.mean], [place - 0.14], "D", colour=PALETTE[0], size=6, order=3)
        tidy(axes, "x")
    grid[0][0].rule(0, colour=BLACK, width=0.9)
    grid[0][0].y.name(range(len(rules)), list(map(name, rules)))
    grid[0][0].y.ends = (len(rules) - 0.5, -0.5)
    grid[0][0].x_label = f"what labels would have added, {label(metric)}"
    grid[0][1].x_label = f"rank agreement with {name(metric)} (Spearman)"
    caption = (
        "Left: what labels would have added, on the half of the search seeds on which neither chose; right: rank "
        "agreement of each rule with the metric. Dots are searches, diamonds means over them with 95 % t intervals."
    )
    return Drawing("label_free", "What choosing without labels costs", caption, figure)
