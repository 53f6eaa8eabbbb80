"""Maps over two knobs: the metric and the share of collapsed trials in every cell, with intervals written in."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.data.study_view import StudyView
from analysis.figures.drawing import Drawing, canvas, fitted, key_of
from analysis.number_format import label, number, scale
from analysis.sensitivity.distributions import log_scaled
from analysis.svg.figure import Panel
from analysis.tables.arm_tables import ArmRow, by_dataset

__all__ = ["collapse_map", "grid_figures"]

BINS = 4
CELL_LETTERS = 11
"""A line of a level, which is as wide as its cells."""

Floats = NDArray[np.float64]


def grid_figures(study: StudyView, rows: Sequence[ArmRow]) -> list[Drawing]:
    """Return, per dataset, the map of every grid over exactly two factors: means, and collapse if there is any."""
    found = []
    for own in by_dataset(rows).values():
        cells = [row for row in own if row.role != "rival"]
        factors = {row.factor for row in cells}
        if len(factors) == 1 and (names := factors.pop().split(" x ")) and len(names) == 2:
            found.append(_grid(study, cells, (names[0], names[1])))
    return found


def _grid(study: StudyView, cells: Sequence[ArmRow], names: tuple[str, str]) -> Drawing:
    metric = study.metric
    down, across = _levels(cells)
    means, gone = np.full((len(down), len(across)), np.nan), np.full((len(down), len(across)), np.nan)
    mean_texts, gone_texts = {}, {}
    for row in cells:
        level = row.level.split(", ")
        place = (down.index(level[0]), across.index(level[1]))
        cell = row.cells.get(metric)
        trained = row.counts["complete"]
        if cell is None or not trained:
            continue
        means[place], gone[place] = scale(metric) * cell.mean, 100 * row.counts["collapsed"] / trained
        reach = f"\n±{number(cell.high - cell.mean, metric)}" if math.isfinite(cell.high) else ""
        mean_texts[place] = f"{number(cell.mean, metric)}{reach}"
        gone_texts[place] = _share(row.counts["collapsed"], trained)
    collapsed = bool(np.nansum(gone))
    panels = 2 if collapsed else 1
    figure, grid = canvas(1, panels, (panels * (1.6 + 0.8 * len(across)), 1.4 + 0.55 * len(down)))
    _heat(grid[0][0], means, mean_texts, label(metric))
    if collapsed:
        _heat(grid[0][1], gone, gone_texts, "collapsed (%)")
    for axes in grid[0]:
        axes.x.name(range(len(across)), fitted(across, CELL_LETTERS, 3))
        axes.y.name(range(len(down)), fitted(down, CELL_LETTERS, 3))
        axes.x_label = names[1]
        axes.y_label = names[0]
    dataset = cells[0].dataset
    caption = (
        f"{label(metric)} over {names[0]} and {names[1]} on {dataset}: means with the half width of their t intervals"
        f"{'; share of collapsed trials with 95 % Clopper-Pearson intervals' if collapsed else ''}."
    )
    return Drawing(f"map_{key_of(dataset)}", f"{names[0]} x {names[1]}", caption, figure)


def _levels(cells: Sequence[ArmRow]) -> tuple[list[str], list[str]]:
    """Return the levels of the first and of the second factor of a grid, each once, in the order of the cells."""
    down: list[str] = []
    across: list[str] = []
    for row in cells:
        first, second = row.level.split(", ")[:2]
        if first not in down:
            down.append(first)
        if second not in across:
            across.append(second)
    return down, across


def _share(gone: int, total: int) -> str:
    """Return "3/12" with its interval below."""
    ends = stats.binomtest(gone, total).proportion_ci(0.95)
    return f"{gone}/{total}\n{100 * ends.low:.0f}–{100 * ends.high:.0f}"


def _heat(axes: Panel, values: NDArray[np.float64], texts: dict[tuple[int, int], str], title: str) -> None:
    axes.heat(values, title)
    low, high = np.nanmin(values), np.nanmax(values)
    for (row, column), text in texts.items():
        dark = values[row, column] < (low + high) / 2
        colour = "#ffffff" if dark else "#000000"
        axes.write(text, column, row, anchor="middle", baseline="middle", size=7, colour=colour)


def collapse_map(table: pd.DataFrame, knobs: tuple[str, str], where: str, key: str) -> Drawing | None:
    """Draw where the configurations of a search collapsed: shares over bins of two numeric knobs, with intervals.

    Args:
        table: one row a configuration: the knobs, `collapsed` (share of its complete seeds).
        knobs: the two numeric knobs, the first along x.
        where: method and data, for the caption.
        key: name of the figure's files.

    Returns:
        None if nothing collapsed, or a knob is no number.
    """
    rows = table[table["collapsed"].notna()]
    x, y = _numbers(rows[knobs[0]]), _numbers(rows[knobs[1]])
    gone = (rows["collapsed"] > 0).to_numpy()
    if not gone.any() or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    edges_x, edges_y = _edges(x), _edges(y)
    bin_x, bin_y = _bins(x, edges_x), _bins(y, edges_y)
    shares = np.full((BINS, BINS), np.nan)
    texts = {}
    for row in range(BINS):
        for column in range(BINS):
            here = gone[(bin_x == column) & (bin_y == row)]
            if len(here):
                shares[row, column] = 100 * here.mean()
                texts[row, column] = _share(int(here.sum()), len(here))
    figure, grid = canvas(1, 1, (5.6, 4.2))
    axes = grid[0][0]
    _heat(axes, shares, texts, "configurations with a collapsed seed (%)")
    axes.x.name(np.arange(BINS + 1) - 0.5, [f"{edge:.3g}" for edge in edges_x])
    axes.y.name(np.arange(BINS + 1) - 0.5, [f"{edge:.3g}" for edge in edges_y])
    axes.x_label = knobs[0]
    axes.y_label = knobs[1]
    axes.y.inverted = False
    caption = (
        f"Where {where} collapsed, over {knobs[0]} and {knobs[1]}: share of configurations with a collapsed seed in "
        "each cell, its 95 % Clopper-Pearson interval (%) below; empty cells were not tried."
    )
    return Drawing(key, f"Collapse map of {where}", caption, figure)


def _numbers(column: pd.Series) -> Floats:
    """Return a column as numbers, nan where it holds none."""
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)


def _bins(values: Floats, edges: Floats) -> NDArray[np.intp]:
    """Return in which bin each value lies; those at the ends belong to the outer bins."""
    return np.clip(np.searchsorted(edges, values, "right") - 1, 0, BINS - 1)


def _edges(values: Floats) -> Floats:
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.geomspace(low, high, BINS + 1) if log_scaled(low, high) else np.linspace(low, high, BINS + 1)
    return np.asarray(edges, dtype=np.float64)
