"""Boundaries of clusters in the plane, drawn from rows that hold them (`trainables.diagnostics.plane`); no training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.data.study_view import StudyView
from analysis.figures.drawing import BLACK, GREY, PALETTE, Drawing, canvas, key_of
from analysis.svg.figure import Panel
from orchestrator import discovery

__all__ = ["boundary_figures", "edges_of", "sides_of"]

Floats = NDArray[np.float64]

PREFIX = "diagnostic.plane_"
MOST_ARMS = 12
MOST_POINTS = 600


def sides_of(row: pd.Series[float]) -> Floats:
    """Return (K, 3): x, y and bias of each cluster's sum, from an evaluation's columns; (0, 3) if it has none."""
    found: list[list[float]] = []
    while f"{PREFIX}{len(found)}_x" in row.index and np.isfinite(row[f"{PREFIX}{len(found)}_x"]):
        cluster = f"{PREFIX}{len(found)}"
        found.append([float(row[f"{cluster}_x"]), float(row[f"{cluster}_y"]), float(row[f"{cluster}_bias"])])
    return np.array(found).reshape(-1, 3)


def boundary_figures(study: StudyView, epochs: pd.DataFrame) -> list[Drawing]:
    """Return, per dataset of points in the plane, one panel an arm with the boundaries of its seeds.

    Args:
        study: the view.
        epochs: evaluations of the complete confirm trials (`frame.epochs_of`).
    """
    found = []
    for dataset, arms in _with_sides(study, epochs):
        points = _points(study, dataset)
        if points is not None:
            found.append(_figure(dataset, arms, points))
    return found


def _with_sides(study: StudyView, epochs: pd.DataFrame) -> Iterator[tuple[str, dict[str, list[Floats]]]]:
    """Yield each dataset with arm -> sides of its seeds, where the last evaluations hold them."""
    if f"{PREFIX}0_x" not in epochs:
        return
    last = epochs.dropna(subset=[f"{PREFIX}0_x"]).sort_values("epoch").drop_duplicates(["trial_id", "arm"], keep="last")
    for name, own in last.groupby("dataset", sort=False):
        dataset = str(name)
        arms: dict[str, list[Floats]] = {}
        for planned in study.record["arms"]:
            arm = str(planned["name"])
            lines = own[own["arm"] == arm].sort_values("seed")
            if planned["dataset"] == dataset and len(lines):
                arms[arm.removesuffix(f" @ {dataset}")] = [sides_of(line) for _, line in lines.iterrows()]
        if arms:
            yield dataset, dict(list(arms.items())[:MOST_ARMS])


def _points(study: StudyView, dataset: str) -> tuple[Floats, NDArray[np.int64]] | None:
    """Return points and classes of a dataset in the plane, at most MOST_POINTS; None if it is not in the plane."""
    data = discovery.load_dataset(dataset, str(study.record.get("protocol", "whole")))
    vectors, labels = np.asarray(data.eval_vectors, dtype=np.float64), np.asarray(data.eval_labels)
    if vectors.shape[1] != 2:
        return None
    kept = np.random.default_rng(0).permutation(len(vectors))[:MOST_POINTS]
    return vectors[kept], labels[kept]


def _figure(dataset: str, arms: dict[str, list[Floats]], data: tuple[Floats, NDArray[np.int64]]) -> Drawing:
    points, classes = data
    across = min(4, len(arms))
    down = -(-len(arms) // across)
    figure, grid = canvas(down, across, (2.7 * across, 2.7 * down), share_x=True, share_y=True)
    panels = list(chain.from_iterable(grid))
    for axes, (arm, seeds) in zip(panels, arms.items(), strict=False):
        for label in np.unique(classes):
            own = points[classes == label]
            axes.plot(own[:, 0], own[:, 1], ".", colour=PALETTE[int(label) % len(PALETTE)], size=2.5, alpha=0.6)
        _lines(axes, points, seeds[1:], GREY, 0.5)
        _lines(axes, points, seeds[:1], BLACK, 1.5)
        axes.title, axes.title_size = arm, 8.0
        axes.equal = True
    for axes in panels[len(arms) :]:
        axes.visible = False
    caption = (
        f"Boundaries on {dataset}: black is the first confirm seed, grey the others; points are coloured by class, "
        "which no method sees. Drawn from the rows of the last evaluation."
    )
    return Drawing(f"boundaries_{key_of(dataset)}", f"Boundaries on {dataset}", caption, figure)


def _lines(axes: Panel, points: Floats, seeds: Sequence[Floats], colour: str, width: float) -> None:
    """Draw where the cluster with the largest sum changes, of several seeds."""
    room = 0.06 * np.ptp(points, axis=0)
    low, high = points.min(axis=0) - room, points.max(axis=0) + room
    lines: list[Floats] = []
    for sides in seeds:
        lines.extend(edges_of(sides, low, high))
    axes.segments(lines, colour, width)
    axes.x.ends, axes.y.ends = (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))


def edges_of(sides: Floats, low: Floats, high: Floats) -> Floats:
    """Return the edges between the regions in which each cluster's sum is the largest, within a box: straight lines.

    Args:
        sides: (K, 3) x, y and bias of each cluster's sum.
        low: (2,) a corner of the box.
        high: (2,) the opposite corner.

    Returns:
        (edges, 2, 2) both ends of each: edge, end, coordinate.
    """
    box = np.array([[1.0, 0.0, -low[0]], [-1.0, 0.0, high[0]], [0.0, 1.0, -low[1]], [0.0, -1.0, high[1]]])
    found = []
    for first, second in combinations(range(len(sides)), 2):
        x, y, bias = line = sides[first] - sides[second]
        length = np.hypot(x, y)
        if length > 0:
            start = -bias * line[:2] / length**2
            along = np.array([-y, x]) / length
            others = np.delete(sides[first] - sides, (first, second), axis=0)
            reach = _reach(np.vstack([others, box]), start, along)
            if reach is not None:
                found.append(start + np.outer(reach, along))
    return np.array(found).reshape(-1, 2, 2)


def _reach(limits: Floats, start: Floats, along: Floats) -> Floats | None:
    """Return from where to where on a line every limit (x, y, bias) is positive; None: nowhere."""
    rise, level = limits[:, :2] @ along, limits[:, :2] @ start + limits[:, 2]
    if (level[rise == 0] < 0).any():
        return None
    up, down = rise > 0, rise < 0
    ends = np.array([np.max(-level[up] / rise[up]), np.min(-level[down] / rise[down])])
    return ends if ends[0] < ends[1] else None
