"""Methods over datasets: Friedman's test and the critical-difference diagram, for studies that have both."""

from __future__ import annotations

import pandas as pd

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.figures.drawing import BLACK, PALETTE, Drawing, canvas
from analysis.figures.section import Section
from analysis.number_format import join, label, number, p_text
from analysis.tables.formats import as_html
from orchestrator.inference.ranking import CriticalDifference, critical_difference

__all__ = ["method_means", "sections"]

FEWEST_METHODS, FEWEST_DATASETS = 3, 2


def method_means(study: StudyView) -> pd.DataFrame:
    """Return the mean of the study's metric over complete confirm seeds: (datasets, methods), complete rows only.

    A method is the baseline or a rival: the levels of a design vary one method and are not methods of their own.
    """
    values = study_view.by_seed(study, study.metric)
    cells = {}
    for arm in study.record["arms"]:
        own, dataset = values[str(arm["name"])], str(arm["dataset"])
        if arm["role"] in ("baseline", "rival") and own:
            short = str(arm["name"]).removesuffix(f" @ {dataset}")
            name = str(arm["method"]) if short == "baseline" else short
            cells[dataset, name] = sum(own.values()) / len(own)
    table = pd.Series(cells, dtype=float)
    return table.unstack().dropna() if len(table) else pd.DataFrame()


def sections(study: StudyView) -> list[Section]:
    """Return the comparison of methods over datasets; empty with fewer than 3 methods or 2 datasets."""
    table = method_means(study)
    if table.shape[0] < FEWEST_DATASETS or table.shape[1] < FEWEST_METHODS:
        return []
    names = list(map(str, table.columns))
    found = critical_difference(table.to_numpy(dtype=float), names, float(study.record["alpha"]))
    body = []
    for name, rank in zip(found.methods, found.mean_ranks, strict=True):
        means = [number(float(value), study.metric) for value in table[name]]
        body.append([name, f"{rank:.2f}", *means])
    head = ["method", "mean rank", *(f"{label(study.metric)} on {dataset}" for dataset in table.index)]
    return [Section("Methods over datasets", _sentence(found), as_html(head, body), (_diagram(found, study),))]


def _sentence(found: CriticalDifference) -> str:
    """Say whether the methods differ at all, and which are not told apart; a test apart from the study's family."""
    differ = "differ" if found.p <= found.alpha else "are not shown to differ"
    together = "; ".join(join(list(clique)) for clique in found.cliques)
    kept = f"not told apart: {together}" if together else "all are told apart"
    return (
        f"Over {found.n_datasets} datasets the {len(found.methods)} methods {differ} in their ranks (Friedman, "
        f"{p_text(found.p)}, apart from the study's own family). Mean ranks closer than the critical difference of "
        f"{found.difference:.2f} (Nemenyi, {found.alpha:g}) are {kept}. Each dataset counts once, whatever its seeds."
    )


def _diagram(found: CriticalDifference, study: StudyView) -> Drawing:
    """Draw mean ranks on a line, best left, with bars over methods that are not told apart (Demsar 2006)."""
    n = len(found.methods)
    figure, grid = canvas(1, 1, (7.0, 1.5 + 0.28 * n + 0.18 * len(found.cliques)))
    axes = grid[0][0]
    axes.x.ends = (0.8, n + 0.2)
    depth = 1.0 + 0.5 * len(found.cliques)
    axes.plot([1, n], [0, 0], colour=BLACK, width=1.2)
    for tick in range(1, n + 1):
        axes.plot([tick, tick], [0, 0.18], colour=BLACK, width=1.0)
        axes.write(str(tick), tick, 0.3, anchor="middle")
    half = (n + 1) // 2
    for place, (name, rank) in enumerate(zip(found.methods, found.mean_ranks, strict=True)):
        left = place < half
        height = -depth - 0.7 * (place if left else n - 1 - place)
        edge = 0.8 if left else n + 0.2
        axes.plot([rank, rank, edge], [0, height, height], colour=PALETTE[0], width=1.0)
        axes.write(f" {name} ({rank:.2f}) ", edge, height, anchor="end" if left else "start", baseline="middle")
    ranks = dict(zip(found.methods, found.mean_ranks, strict=True))
    for place, clique in enumerate(found.cliques):
        ends = [ranks[clique[0]] - 0.04, ranks[clique[-1]] + 0.04]
        axes.plot(ends, [-0.45 - 0.45 * place] * 2, colour=PALETTE[1], width=3.5, butt=True)
    axes.plot([1, min(1 + found.difference, n)], [1.4, 1.4], "|-", colour=BLACK, size=7)
    beyond = " (beyond the scale)" if found.difference > n - 1 else ""
    axes.write(f"critical difference {found.difference:.2f}{beyond}", 1, 1.65)
    axes.y.ends = (-depth - 0.7 * half, 2.6)
    axes.x.shown = axes.y.shown = False
    caption = (
        f"Mean rank of each method in {label(study.metric)} over {found.n_datasets} datasets, 1 is best. Bars join "
        f"methods that Nemenyi's test does not tell apart at {found.alpha:g}."
    )
    return Drawing("critical_difference", "Methods over datasets", caption, figure)
