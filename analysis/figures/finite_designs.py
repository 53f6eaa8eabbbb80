"""Figures of a finite design: differences, arms, learning curves, level curves, collapse; each with its intervals.

Data frames in, drawings out; the figures of searches and of sensitivity indices are in `analysis.figures.searches`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.figures import knob_maps
from analysis.figures.drawing import BLACK, GREY, PALETTE, Drawing, canvas, tidy
from analysis.number_format import label, name, p_text, scale, signed, unit
from analysis.tables.arm_tables import ArmRow
from analysis.verdicts.verdicts import Verdict

__all__ = ["arms_figure", "collapse_figure", "curves_figures", "effects_figure", "level_figure", "study_figures"]

LOOKS = {
    "effect": (PALETTE[1], "D", "effect"),
    "equivalent": (PALETTE[2], "s", "no difference beyond the margin"),
    "inconclusive": (PALETTE[0], "o", "inconclusive"),
    "refused": (GREY, "x", "not tested"),
}
"""Decision -> colour, marker and legend: the marker alone tells them apart, without colour."""
MOST_ARMS = 60
"""More arms than this are no figure that anyone reads; the table and the CSV have them."""
MOST_CURVES = 8
"""Likewise for the curves of one panel."""
LOG_RATIO = 30.0
"""Positive levels that span more than this ratio are drawn on a logarithmic axis."""


def study_figures(
    study: StudyView, rows: Sequence[ArmRow], found: Sequence[Verdict], epochs: pd.DataFrame
) -> list[Drawing]:
    """Return all figures of the study's finite design, the one that answers the question first."""
    drawings = [effects_figure(study, found)] if found else []
    shown = [row for row in rows if row.factor != "sample"]  # points of a screening design stand for no arm
    if shown and len(shown) <= MOST_ARMS:
        drawings.append(arms_figure(study, shown))
    drawings += level_figures(study, shown)
    drawings += knob_maps.grid_figures(study, shown)
    drawings += curves_figures(study, epochs, study.metric)
    if shown and any(row.counts["collapsed"] for row in shown) and len(shown) <= MOST_ARMS:
        drawings.append(collapse_figure(shown))
    return drawings


def effects_figure(study: StudyView, found: Sequence[Verdict]) -> Drawing:
    """Draw every contrast: per-seed differences, their mean, the interval, and the margin as a band around zero.

    Where a few differences dwarf the others a second panel shows the middle enlarged.
    """
    metric = study.metric
    seeds = [np.array(verdict.judgement.living.differences) for verdict in found]
    close = _close_up(found, seeds, scale(metric))
    figure, grid = canvas(1, 2 if close else 1, (9.6 if close else 8.0, 1.5 + 0.42 * len(found)), sharey=True)
    for panel, axes in enumerate(grid[0]):
        for place, (verdict, differences) in enumerate(zip(found, seeds, strict=True)):
            _effect_line(axes, place, verdict, differences, metric)
        axes.axvline(0, color=BLACK, linewidth=0.9)
        _margin_band(axes, study)
        axes.set_xlabel(f"difference in {name(metric)}{' (points)' if unit(metric) else ''}, paired by seed")
        axes.set_title("all seeds" if close and not panel else "the middle, enlarged" if close else "", fontsize=9)
        tidy(axes, "x")
    if close:
        grid[0][1].set_xlim(-close, close)
    _effect_texts(grid[0][-1], found, metric)
    several = len(study.record["datasets"]) > 1
    grid[0][0].set_yticks(range(len(found)), [_contrast_label(verdict, several) for verdict in found])
    grid[0][0].set_ylim(len(found) - 0.5, -0.5)
    _unique_legend(figure, grid[0][0])
    caption = (
        f"Paired differences in {label(metric)} where both sides work: small dots are single seeds, large marks means, "
        f"bars {_percent(study)} intervals of one contrast each that invert the test; at the right the mean and its "
        "corrected p, and who works more often where that is shown."
    )
    return Drawing("effects", "Differences, seed by seed", caption, figure)


def _close_up(found: Sequence[Verdict], seeds: Sequence[NDArray[np.float64]], factor: float) -> float | None:
    """Return the half width of an enlarged panel if the widest contrast is over six times the median one."""
    reaches = [factor * float(np.abs(one).max()) for one in seeds if len(one)]
    margins = [factor * v.judgement.equivalence.margin for v in found if v.judgement.equivalence is not None]
    if len(reaches) < 3 or max(reaches) < 6 * float(np.median(reaches)):
        return None
    return 1.3 * max([float(np.median(reaches)), *margins])


def _margin_band(axes: Axes, study: StudyView) -> None:
    margin = study.record.get("margin")
    if margin:
        reach = scale(study.metric) * float(margin)
        axes.axvspan(-reach, reach, color=PALETTE[2], alpha=0.13, linewidth=0, label="stated margin")


def _effect_line(axes: Axes, place: int, verdict: Verdict, seeds: NDArray[np.float64], metric: str) -> None:
    judgement = verdict.judgement
    colour, marker, text = LOOKS[judgement.decision]
    factor = scale(metric)
    if not len(seeds):
        axes.annotate(
            "no seed on which both work", (0.02, place), xycoords=("axes fraction", "data"), va="center", color=GREY
        )
        return
    axes.plot(factor * seeds, place + 0.14 + _spread(len(seeds)), ".", color=GREY, markersize=4, alpha=0.8)
    interval, y = judgement.interval, place - 0.18
    if interval.attainable:
        axes.plot(
            [factor * interval.low, factor * interval.high], [y, y], "|-", color=colour, linewidth=2, markersize=8
        )
    face = "white" if judgement.decision == "inconclusive" else colour
    mark = {"marker": marker, "markersize": 6, "markeredgecolor": colour, "markerfacecolor": face}
    axes.plot([factor * float(seeds.mean())], [y], linestyle="", color=colour, label=text, zorder=3, **mark)  # type: ignore[arg-type]


def _effect_texts(axes: Axes, found: Sequence[Verdict], metric: str) -> None:
    for place, verdict in enumerate(found):
        judgement = verdict.judgement
        parts = [verdict.works] if judgement.working.shown else []
        if len(judgement.living.seeds):
            parts.insert(0, f"{signed(judgement.estimate, metric)}, {p_text(judgement.p_corrected)}")
        said = "; ".join(parts)
        axes.annotate(said, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=8, color=BLACK)


def _contrast_label(verdict: Verdict, several: bool) -> str:
    contrast = verdict.contrast
    plus = [arm for arm, weight in contrast.weights.items() if weight > 0]
    text = plus[0].removesuffix(f" @ {verdict.dataset}") if contrast.kind == "difference" else contrast.name
    if several:
        text = f"{text}\n{verdict.dataset}"
    return text


def arms_figure(study: StudyView, rows: Sequence[ArmRow]) -> Drawing:
    """Draw every arm: each seed, the mean and its interval; collapsed seeds are crosses; one panel a dataset."""
    metric, table = study.metric, study_view.arm_seed_values(study, study.metric)
    values, gone = table.by_seed(), table.collapsed_by_seed()
    datasets = list(dict.fromkeys(row.dataset for row in rows))
    names = list(dict.fromkeys(row.short for row in rows))
    width = 3.2 + 3.6 * len(datasets)
    figure, grid = canvas(1, len(datasets), (width, 1.4 + 0.4 * len(names)), sharey=True)
    for axes, dataset in zip(grid[0], datasets, strict=True):
        here = [row for row in rows if row.dataset == dataset]
        for row in here:
            _arm_line(axes, names.index(row.short), row, metric, (values[row.arm], gone[row.arm]))
        _baseline_band(axes, here, metric)
        axes.set_title(dataset)
        axes.set_xlabel(label(metric))
        tidy(axes, "x")
    first = grid[0][0]
    first.set_yticks(range(len(names)), names)
    first.set_ylim(len(names) - 0.5, -0.5)
    caption = (
        f"{label(metric)} of every arm: dots are single seeds, crosses collapsed ones, diamonds means with their "
        f"{_percent(study)} t intervals (collapsed seeds included); the grey band is the baseline's interval."
    )
    return Drawing("arms", "Arms", caption, figure)


def _arm_line(
    axes: Axes, place: int, row: ArmRow, metric: str, seeds: tuple[dict[int, float], dict[int, bool]]
) -> None:
    values, gone = seeds
    colour = {"baseline": BLACK, "rival": PALETTE[3]}.get(row.role, PALETTE[0])
    spread = dict(zip(values, _spread(len(values)), strict=True))
    for collapsed, marker, size in ((False, ".", 4.0), (True, "x", 4.5)):
        chosen = [seed for seed in values if gone.get(seed, False) == collapsed]
        x = [scale(metric) * values[seed] for seed in chosen]
        axes.plot(x, [place + 0.14 + spread[seed] for seed in chosen], marker, color=GREY, markersize=size)
    cell, y = row.cells.get(metric), place - 0.18
    if cell is None or cell.n == 0:
        axes.annotate("no complete trial", (0.02, place), xycoords=("axes fraction", "data"), va="center", color=GREY)
        return
    if math.isfinite(cell.low):
        ends = [scale(metric) * cell.low, scale(metric) * cell.high]
        axes.plot(ends, [y, y], "|-", color=colour, linewidth=2, markersize=8)
    axes.plot([scale(metric) * cell.mean], [y], "D", color=colour, markersize=5, zorder=3)


def _baseline_band(axes: Axes, rows: Sequence[ArmRow], metric: str) -> None:
    for row in rows:
        cell = row.cells.get(metric)
        if row.role == "baseline" and cell is not None and math.isfinite(cell.low):
            axes.axvspan(scale(metric) * cell.low, scale(metric) * cell.high, color=GREY, alpha=0.2, linewidth=0)


def level_figures(study: StudyView, rows: Sequence[ArmRow]) -> list[Drawing]:
    """Return one figure per factor of which at least three levels (the baseline's included) are numbers."""
    factors = dict.fromkeys(row.factor for row in rows if row.factor)
    return [found for factor in factors if (found := level_figure(study, rows, factor)) is not None]


def level_figure(study: StudyView, rows: Sequence[ArmRow], factor: str) -> Drawing | None:
    """Draw the metric against the levels of one numeric factor, with interval bands.

    None if it is not numeric, or if arms share a level: then they differ in something else besides.
    """
    metric = study.metric
    points = {
        dataset: sorted(
            _level_points(study, [row for row in rows if row.dataset == dataset], factor), key=lambda point: point[0]
        )
        for dataset in dict.fromkeys(row.dataset for row in rows)
    }
    places = [[level for level, _, _ in found] for found in points.values()]
    if min(map(len, places)) < 3 or any(len(set(own)) < len(own) for own in places):
        return None
    figure, grid = canvas(1, 1, (5.6, 3.4))
    axes = grid[0][0]
    for index, (dataset, found) in enumerate(points.items()):
        x = [level for level, _, _ in found]
        cells = [row.cells[metric] for _, _, row in found]
        _band(axes, np.array(x), [scale(metric) * np.array(part) for part in _ends(cells)], PALETTE[index % 7], dataset)
        for level, is_baseline, row in found:
            if is_baseline:
                place = scale(metric) * row.cells[metric].mean
                axes.plot([level], [place], "s", color=BLACK, markerfacecolor="white", markersize=6, zorder=4)
    levels = [level for found in points.values() for level, _, _ in found]
    positive = [level for level in levels if level > 0]
    if positive and max(positive) / min(positive) > LOG_RATIO:
        axes.set_xscale("log" if len(positive) == len(levels) else "symlog", **_symlog(positive, levels))
    axes.set_xlabel(factor)
    axes.set_ylabel(label(metric))
    tidy(axes)
    axes.legend(frameon=False)
    caption = (
        f"{label(metric)} over the levels of {factor}, all else at the baseline: means and {_percent(study)} t "
        "intervals over seeds; the open square is the baseline."
    )
    return Drawing(f"levels_{factor}", f"Levels of {factor}", caption, figure)


def _symlog(positive: Sequence[float], levels: Sequence[float]) -> dict[str, float]:
    return {} if len(positive) == len(levels) else {"linthresh": min(positive)}


def _level_points(study: StudyView, rows: Sequence[ArmRow], factor: str) -> list[tuple[float, bool, ArmRow]]:
    """Return (level, is baseline, row) of a factor's arms that have values; nothing if a level is not a number."""
    column = f"knob.{factor}"
    found = []
    for row in rows:
        if row.factor != factor and row.role != "baseline":
            continue
        if row.cells.get(study.metric) is None or row.cells[study.metric].n < 2:
            continue
        held = study.rows.loc[study.rows["arm"] == row.arm, column].dropna() if column in study.rows else pd.Series()
        value = pd.to_numeric(held, errors="coerce")
        if value.empty or not np.isfinite(value.iloc[0]) or isinstance(held.iloc[0], bool | np.bool_):
            return []
        found.append((float(value.iloc[0]), row.role == "baseline", row))
    return found


def _ends(cells: Sequence[object]) -> list[list[float]]:
    return [[getattr(cell, part) for cell in cells] for part in ("mean", "low", "high")]


def _band(
    axes: Axes, x: NDArray[np.float64], ends: Sequence[NDArray[np.float64]], colour: str, text: str, dash: str = "-"
) -> None:
    mean, low, high = ends
    marker = "o" if len(x) <= 25 else ""
    axes.plot(x, mean, marker=marker, markersize=4, linestyle=dash, color=colour, linewidth=1.7, label=text)
    axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)


def curves_figures(study: StudyView, epochs: pd.DataFrame, metric: str) -> list[Drawing]:
    """Return the learning curves, one figure a dataset and one panel a factor with the baseline in each."""
    column = f"metric.{metric}"
    if epochs.empty or column not in epochs.columns or epochs.groupby("trial_id")["epoch"].nunique().max() < 3:
        return []
    several = len(study.record["datasets"]) > 1
    found = []
    for dataset, here in epochs.dropna(subset=[column]).groupby("dataset", observed=True):
        arms = [arm for arm in study.record["arms"] if arm["dataset"] == dataset and arm["name"] in set(here["arm"])]
        arms = [arm for arm in arms if arm.get("factor") != "sample"]
        if not arms or max(map(len, _panels(arms)[1].values())) > MOST_CURVES:
            continue
        drawing = _curves(study, here, (str(dataset), metric), arms)
        suffix = f"_{dataset}".replace(":", "_").replace(",", "_").replace("=", "_") if several else ""
        found.append(Drawing(f"curves_{metric}{suffix}", f"Learning curves on {dataset}", *drawing))
    return found


def _panels(arms: Sequence[Mapping[str, Any]]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the baselines, and the other arms by factor: one panel each."""
    baseline = [str(arm["name"]) for arm in arms if arm["role"] == "baseline"]
    factors: dict[str, list[str]] = {}
    for arm in arms:
        if arm["role"] != "baseline":
            factor = "rivals" if arm["role"] == "rival" else str(arm.get("factor") or "levels")
            factors.setdefault(factor, []).append(str(arm["name"]))
    return baseline, factors or {"": []}


def _curves(
    study: StudyView, epochs: pd.DataFrame, what: tuple[str, str], arms: Sequence[Mapping[str, Any]]
) -> tuple[str, Figure]:
    dataset, metric = what
    baseline, panels = _panels(arms)
    across = min(3, len(panels))
    down = math.ceil(len(panels) / across)
    figure, grid = canvas(down, across, (3.4 * across + 0.4, 3.1 * down), sharey=True, sharex=True)
    flat = [axes for line in grid for axes in line]
    for place, (axes, (factor, names)) in enumerate(zip(flat, panels.items(), strict=False)):
        for index, arm in enumerate([*baseline, *names]):
            colour = BLACK if arm in baseline else PALETTE[(index - len(baseline)) % len(PALETTE)]
            x, ends = _curve(epochs[epochs["arm"] == arm], metric, 1 - float(study.record["alpha"]))
            _band(axes, x, ends, colour, arm.removesuffix(f" @ {dataset}"), "--" if arm in baseline else "-")
        axes.set_title(factor)
        tidy(axes)
        axes.legend(frameon=False, fontsize=7)
        if place % across == 0:
            axes.set_ylabel(label(metric))
        if place + across >= len(panels):  # the lowest panel of its column
            axes.set_xlabel("epoch")
            axes.tick_params(labelbottom=True)
    for axes in flat[len(panels) :]:
        axes.set_visible(False)
    caption = (
        f"{label(metric)} during training on {dataset}: mean over seeds, bands are pointwise {_percent(study)} t "
        "intervals of the mean; the dashed black line is the baseline."
    )
    return caption, figure


def _curve(rows: pd.DataFrame, metric: str, confidence: float) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Return epochs and mean, lower and upper end of the t interval over seeds, in printed units."""
    grouped = rows.groupby("epoch")[f"metric.{metric}"]
    table = grouped.agg(["mean", "std", "count"])
    count = table["count"].to_numpy(dtype=np.float64)
    with np.errstate(invalid="ignore"):
        reach = stats.t.ppf(0.5 + confidence / 2, count - 1) * table["std"].to_numpy() / np.sqrt(count)
    mean = table["mean"].to_numpy(dtype=np.float64)
    return table.index.to_numpy(dtype=np.float64), [scale(metric) * end for end in (mean, mean - reach, mean + reach)]


def collapse_figure(rows: Sequence[ArmRow]) -> Drawing:
    """Draw the share of collapsed trials of every arm with its Clopper-Pearson interval."""
    figure, grid = canvas(1, 1, (6.4, 1.3 + 0.33 * len(rows)))
    axes = grid[0][0]
    several = len({row.dataset for row in rows}) > 1
    for place, row in enumerate(rows):
        gone, total = row.counts["collapsed"], row.counts["complete"]
        if not total:
            continue
        share = stats.binomtest(gone, total).proportion_ci(0.95)
        colour = PALETTE[1] if gone else GREY
        axes.plot([100 * share.low, 100 * share.high], [place, place], color=colour, linewidth=2.2)
        axes.plot([100 * gone / total], [place], "D", color=colour, markersize=6)
        axes.annotate(f"{gone}/{total}", (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    axes.set_yticks(range(len(rows)), [row.arm if several else row.short for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(-2, 102)
    axes.set_xlabel("collapsed trials (%)")
    tidy(axes, "x")
    caption = "Share of collapsed trials among the complete ones of each arm, with 95 % Clopper-Pearson intervals."
    return Drawing("collapse", "Collapse", caption, figure)


def _percent(study: StudyView) -> str:
    return f"{100 * (1 - float(study.record['alpha'])):g} %"


def _spread(n: int) -> NDArray[np.float64]:
    """Return fixed small vertical offsets (n,), so that equal seeds do not hide each other; no random draw."""
    return 0.16 * (np.arange(n) % 5 - 2) / 2 if n > 1 else np.zeros(n)


def _unique_legend(figure: Figure, axes: Axes) -> None:
    handles, texts = axes.get_legend_handles_labels()
    first = dict(zip(texts, handles, strict=True))
    figure.legend(list(first.values()), list(first), loc="outside upper center", ncols=len(first), frameon=False)
