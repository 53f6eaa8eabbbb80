"""Methods head to head: Friedman's test and the critical difference of mean ranks, within each study that has three."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.figures.drawing import BLACK, PALETTE, Drawing, canvas
from analysis.figures.section import Section
from analysis.number_format import join, label, name, number, p_text
from analysis.tables.formats import as_html
from orchestrator.inference.ranking import CriticalDifference, critical_difference
from orchestrator.inference.shared_draws import sharing

__all__ = ["HeadToHead", "head_to_head", "head_to_head_sections"]


@dataclass(frozen=True)
class HeadToHead:
    """The arms of a study that stand for methods, ranked."""

    study: StudyView
    table: pd.DataFrame
    """Index (dataset, seed), one column an arm: the metric of blocks in which every arm is complete."""
    ranking: CriticalDifference


def head_to_head(study: StudyView) -> HeadToHead | None:
    """Rank the baseline and the rivals of a study over blocks of (dataset, seed); None unless they are >= 3 methods.

    Blocks share data order and initialisation, so ranks within one are paired; they are seeds of few datasets, so the
    ranking is about these data.
    """
    arms = [arm for arm in study.record["arms"] if arm["role"] in ("baseline", "rival")]
    if len({arm["method"] for arm in arms}) < 3:
        return None
    values = study_view.by_seed(study, study.metric)
    columns: dict[str, dict[tuple[str, int], float]] = {}
    for arm in arms:
        short = str(arm["name"]).removesuffix(f" @ {arm['dataset']}")
        column = columns.setdefault(str(arm["method"]) if short == "baseline" else short, {})
        for seed, value in values[str(arm["name"])].items():
            column[str(arm["dataset"]), seed] = value
    table = pd.DataFrame({short: pd.Series(own) for short, own in columns.items()}).dropna()
    table = _by_stage(table, arms, study_view.drawn_stages(study))
    if len(table) < 2 or len(table.columns) < 3:
        return None
    ranking = critical_difference(table.to_numpy(), list(table.columns), float(study.record["alpha"]))
    return HeadToHead(study, table, ranking)


def _by_stage(
    table: pd.DataFrame, arms: Sequence[Mapping[str, Any]], drawn: Mapping[str, Mapping[int, Collection[str]]]
) -> pd.DataFrame:
    """Return one block, the mean, for the seeds of a dataset that share a stage with a draw of its own."""
    stages: dict[tuple[str, int], set[str]] = {}
    for arm in arms:
        for seed, named in drawn.get(str(arm["name"]), {}).items():
            stages.setdefault((str(arm["dataset"]), seed), set()).update(named)
    first: dict[tuple[str, int], tuple[str, int]] = {}
    """(dataset, unit of seeds) -> the block of its first seed."""
    blocks = {}
    for dataset in table.index.get_level_values(0).unique():
        seeds = table.loc[dataset].index
        units = sharing([stages.get((dataset, seed), ()) for seed in seeds]).units
        for seed, unit in zip(seeds, units, strict=True):
            blocks[dataset, seed] = first.setdefault((dataset, unit), (dataset, seed))
    if len(first) == len(table):
        return table
    keys = [blocks[block] for block in table.index]
    return table.groupby(pd.MultiIndex.from_tuples(keys)).mean()


def head_to_head_sections(studies: Sequence[StudyView]) -> list[Section]:
    """Return one section per study that sets three methods or more head to head."""
    sections = []
    for study in studies:
        found = head_to_head(study)
        if found is not None:
            sections.append(_section(found))
    return sections


def _section(found: HeadToHead) -> Section:
    ranking, metric = found.ranking, found.study.metric
    means = found.table.mean()
    body = []
    for method, rank in zip(ranking.methods, ranking.mean_ranks, strict=True):
        body.append([method, f"{rank:.2f}", number(float(means[method]), metric)])
    table = as_html(["arm", "mean rank", f"mean {label(metric)}"], body)
    return Section(f"Head to head: {found.study.name}", _sentence(found), table, (_diagram(found),))


def _sentence(found: HeadToHead) -> str:
    ranking = found.ranking
    differ = ranking.p <= ranking.alpha
    lead = "The arms differ" if differ else "The arms are not told apart"
    datasets = list(map(str, found.table.index.get_level_values(0).unique()))
    return (
        f"{lead} (Friedman {p_text(ranking.p)} over {ranking.n_datasets} blocks: seeds of {join(datasets)}). "
        + (f"By Nemenyi's critical difference of mean ranks, {ranking.difference:.2f}, {_best(ranking)}. " * differ)
        + f"{found.study.record.get('tier', 'local')} tier: the ranking is about these data and budgets."
    )


def _best(ranking: CriticalDifference) -> str:
    """Return in words which methods have the best mean rank."""
    first = ranking.methods[0]
    tied = next((clique for clique in ranking.cliques if first in clique), ())
    if len(tied) == len(ranking.methods):
        return "no two of them are told apart"
    if len(tied) > 1:
        return f"{join(list(tied))} lead and are not told apart"
    return f"{first} leads, apart from all others"


def _diagram(found: HeadToHead) -> Drawing:
    """Draw mean ranks on a line, and a bar under every group that is not told apart."""
    ranking = found.ranking
    n = len(ranking.methods)
    figure, grid = canvas(1, 1, (7.6, 1.2 + 0.34 * (n + len(ranking.cliques))))
    axes = grid[0][0]
    rank_of = dict(zip(ranking.methods, ranking.mean_ranks, strict=True))
    for place, (method, rank) in enumerate(rank_of.items()):
        axes.plot([rank, rank], [0, -place - 1], colour=BLACK, width=0.9)
        axes.plot([rank], [0], "D", colour=PALETTE[0], size=6, order=3)
        axes.write(f" {method} ({rank:.2f})", rank, -place - 1, baseline="middle")
    for place, clique in enumerate(ranking.cliques):
        ranks = [rank_of[method] for method in clique]
        y = 0.5 + 0.5 * place
        axes.plot([min(ranks) - 0.04, max(ranks) + 0.04], [y, y], colour=PALETTE[1], width=4, butt=True)
    axes.plot([1, 1 + ranking.difference], [1.4 + 0.5 * len(ranking.cliques)] * 2, "|-", colour=BLACK)
    axes.write("critical difference", 1, 1.7 + 0.5 * len(ranking.cliques), size=8)
    axes.x.ends = (0.8, n + 1.2)
    axes.y.ends = (-n - 0.8, 2.4 + 0.5 * len(ranking.cliques))
    axes.y.shown = False
    axes.x.name(range(1, n + 1), list(map(str, range(1, n + 1))))
    axes.x_label = f"mean rank by {name(found.study.metric)} (1 is best)"
    caption = (
        f"Mean ranks over {ranking.n_datasets} blocks (dataset, seed) of {found.study.name}; arms joined by a bar are "
        f"closer than Nemenyi's critical difference at {ranking.alpha:g}."
    )
    return Drawing(f"ranks_{found.study.name}", "Head to head", caption, figure)
