"""Arm x metric tables as a paper prints them: what stands in their rows and files (the tests are not done here)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.data import study_view
from analysis.data.independent_values import independent
from analysis.data.study_view import StudyView
from analysis.number_format import label, name, number, p_text, sides, signed
from analysis.tables.formats import as_html, as_latex, write_formats
from analysis.tables.verdict_columns import as_columns
from analysis.verdicts.verdicts import Verdict
from orchestrator.ledger.rows.spreadsheet import as_csv

__all__ = [
    "ArmRow",
    "Cell",
    "arm_rows",
    "by_dataset",
    "columns",
    "company",
    "mean_interval",
    "printed",
    "shown",
    "write",
]

COMPANY = ("acc", "nmi", "ari", "ami", "neighbour_mi")
"""Metrics printed beside the study's own, where the ledger has them; all others stand in the CSV."""


@dataclass(frozen=True)
class Cell:
    """Mean of a metric over an arm's complete seeds, its standard deviation and its t interval."""

    mean: float
    std: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class ArmRow:
    """One line of the table: an arm with its metrics, its verdict (None for the baseline) and its losses of seeds."""

    arm: str
    dataset: str
    method: str
    role: str
    factor: str
    level: str
    cells: dict[str, Cell]
    verdict: Verdict | None
    counts: dict[str, int]
    """planned, complete, collapsed, failed, pruned, missing."""

    @property
    def short(self) -> str:
        """The arm's name without its dataset."""
        return self.arm.removesuffix(f" @ {self.dataset}")


def mean_interval(values: NDArray[np.float64], confidence: float = 0.95) -> Cell:
    """Return mean, standard deviation and t interval of `values` (n,), nan where n is too small for them."""
    n = len(values)
    if n == 0:
        return Cell(math.nan, math.nan, math.nan, math.nan, 0)
    mean = float(values.mean())
    if n == 1:
        return Cell(mean, math.nan, math.nan, math.nan, 1)
    std = float(values.std(ddof=1))
    reach = _t_quantile(0.5 + confidence / 2, n - 1) * std / math.sqrt(n)
    return Cell(mean, std, mean - reach, mean + reach, n)


@cache
def _t_quantile(share: float, freedom: int) -> float:
    return float(stats.t.ppf(share, freedom))


def arm_rows(study: StudyView, found: Sequence[Verdict]) -> list[ArmRow]:
    """Return one row per arm of the record, in its order (baseline first); collapsed trials are in every mean."""
    rows = study_view.confirm_rows(study)
    metrics = study_view.metrics_of(rows)
    columns = ["arm", "seed", *(f"metric.{metric}" for metric in metrics)]
    complete = rows.loc[rows["state"] == "complete", columns]
    groups = complete.groupby("arm", observed=True)
    counts = study_view.arm_table(study).drop(columns="without").to_dict("index")
    by_arm = _by_compared_arm(found)
    confidence = 1 - float(study.record["alpha"])
    drawn = study_view.drawn_stages(study)
    table = []
    for arm in study.record["arms"]:
        title = str(arm["name"])
        own = groups.get_group(title) if title in groups.groups else complete[:0]
        table.append(
            ArmRow(
                arm=title,
                dataset=str(arm["dataset"]),
                method=str(arm["method"]),
                role=str(arm["role"]),
                factor=str(arm.get("factor", "")),
                level=str(arm.get("level", "")),
                cells={metric: _cell(own, metric, confidence, drawn.get(title, {})) for metric in metrics},
                verdict=by_arm.get(title),
                counts={str(kind): int(count) for kind, count in counts[title].items()},
            )
        )
    return table


def _by_compared_arm(found: Sequence[Verdict]) -> dict[str, Verdict]:
    by_arm = {}
    for verdict in found:
        arm = compared(verdict)
        if arm is not None:
            by_arm[arm] = verdict
    return by_arm


def compared(verdict: Verdict) -> str | None:
    """Return the arm that a difference sets against the baseline; None for trends, effects and interactions."""
    if verdict.contrast.kind != "difference":
        return None
    return next(arm for arm, weight in verdict.contrast.weights.items() if weight > 0)


def _cell(rows: pd.DataFrame, metric: str, confidence: float, drawn: Mapping[int, Collection[str]]) -> Cell:
    """Return an arm's cell; of seeds that share a stage with a draw of its own, the interval is that of stage means."""
    every = rows[f"metric.{metric}"].to_numpy(dtype=np.float64)
    known = ~np.isnan(every)
    values = every[known]
    cell = mean_interval(values, confidence)
    own = independent(dict(zip(rows["seed"].to_numpy()[known], values, strict=True)), drawn) if drawn else None
    if own is None or not own.grouped:
        return cell
    of_means = mean_interval(own.values, confidence)
    return replace(cell, mean=of_means.mean, low=of_means.low, high=of_means.high)


def company(rows: Sequence[ArmRow], metric: str) -> list[str]:
    """Return the metrics that are printed beside `metric`."""
    known: set[str] = set()
    for row in rows:
        known.update(row.cells)
    return [one for one in COMPANY if one in known and one != metric]


def shown(rows: Sequence[ArmRow]) -> list[ArmRow]:
    """Return the arms that a printed table lists: not the points of a screening design, which the CSV holds."""
    return [row for row in rows if row.factor != "sample"]


def by_dataset(rows: Sequence[ArmRow]) -> dict[str, list[ArmRow]]:
    """Return the arms of each dataset, both in the order of the rows."""
    found: dict[str, list[ArmRow]] = {}
    for row in rows:
        found.setdefault(row.dataset, []).append(row)
    return found


def columns(rows: Sequence[ArmRow], metric: str, confidence: float, *, beside: bool = True) -> list[str]:
    """Return the headings of `printed`."""
    percent = f"[{100 * confidence:g} %]"
    others = map(label, company(rows, metric)) if beside else ()
    return [
        *(("data",) if _several_datasets(rows) else ()),
        "arm",
        f"{label(metric)} {percent}",
        "works",
        "works vs baseline",
        f"where both work {percent}",
        f"{_wanted(metric)} on",
        "corrected p",
        "verdict",
        "seeds",
        *others,
    ]


def _several_datasets(rows: Sequence[ArmRow]) -> bool:
    return len({row.dataset for row in rows}) > 1


def printed(rows: Sequence[ArmRow], metric: str, *, beside: bool = True) -> list[list[str]]:
    """Return the table's cells as text, one list a row, under the headings of `columns`.

    Args:
        rows: the arms.
        metric: the study's own metric.
        beside: print the metrics of `company` too.
    """
    datasets = _several_datasets(rows)
    others = company(rows, metric) if beside else []
    none = Cell(math.nan, math.nan, math.nan, math.nan, 0)
    table = []
    for row in rows:
        cell = row.cells.get(metric, none)
        lead = [row.dataset] if datasets else []
        own = f"{number(cell.mean, metric)}{_range(number(cell.low, metric), number(cell.high, metric))}"
        more = [_with_std(row.cells.get(one, none), one) for one in others]
        there = f"{row.counts['complete']}/{row.counts['planned']}"
        ended = row.counts["complete"] + row.counts["failed"]
        works = f"{row.counts['complete'] - row.counts['collapsed']}/{ended}"
        table.append([*lead, row.short, own, works, *_difference(row, metric), there, *more])
    return table


def _range(low: str, high: str) -> str:
    return "" if "–" in (low, high) else f" [{low}, {high}]"


def _with_std(cell: Cell, metric: str) -> str:
    return f"{number(cell.mean, metric)} ({number(cell.std, metric)})"


def _difference(row: ArmRow, metric: str) -> list[str]:
    """Return both parts beside the baseline: how often it works; difference, seeds, corrected p, verdict."""
    if row.verdict is None:
        return ["baseline" if row.role == "baseline" else "–", "", "", "", ""]
    judgement, living = row.verdict.judgement, row.verdict.judgement.living
    interval = judgement.interval
    ends = _range(signed(interval.low, metric), signed(interval.high, metric)) if interval.attainable else ""
    flag = "*" if living.skewed else ""
    counted = living.better if sides(metric)[0] == _wanted(metric) else living.worse
    better = f"{counted}/{len(living.seeds)}"
    difference = f"{signed(judgement.estimate, metric)}{ends}{flag}"
    return [_works(row.verdict), difference, better, _p(judgement.p_corrected), row.verdict.word]


def _wanted(metric: str) -> str:
    """Return the side whose seeds are counted: better, or higher where no end is better."""
    larger, smaller = sides(metric)
    return smaller if larger == "worse" else larger


def _works(verdict: Verdict) -> str:
    working = verdict.judgement.working
    return verdict.works if working.p == 1.0 else f"{verdict.works} ({_p(working.p_corrected)})"


def _p(p: float) -> str:
    return p_text(p).removeprefix("p ").removeprefix("= ")


def note(rows: Sequence[ArmRow], metric: str) -> str:
    """Return the caption that says what the table's numbers are."""
    text = (
        f"{name(metric)}: mean over complete confirm seeds [t interval], collapsed trials included. Works: neither "
        "collapsed nor failed, of the trials that ended; beside the baseline tested seed by seed (exact, corrected p). "
        "Where both work: mean difference paired by seed [interval of this contrast alone, that of the test], on how "
        f"many seeds it is {_wanted(metric)}, p corrected over both parts of all contrasts of the study. Other "
        "metrics: mean (standard deviation)."
    )
    if any(row.verdict is not None and row.verdict.judgement.living.skewed for row in rows):
        text += " * visibly skewed differences: their mean is not their typical size."
    hidden = len(rows) - len(shown(rows))
    if hidden:
        text += f" {hidden} points of the screening design stand in the CSV only."
    return text


def as_frame(rows: Sequence[ArmRow]) -> pd.DataFrame:
    """Return every number of the table in the ledger's units, one row an arm: what the CSV holds."""
    return pd.DataFrame(map(_flat, rows))


def _flat(row: ArmRow) -> dict[str, object]:
    flat: dict[str, object] = {
        "arm": row.arm,
        "dataset": row.dataset,
        "method": row.method,
        "role": row.role,
        "factor": row.factor,
        "level": row.level,
        **row.counts,
    }
    if row.verdict is not None:
        flat |= as_columns(row.verdict)
    for metric, cell in row.cells.items():
        flat |= {
            f"{metric}.mean": cell.mean,
            f"{metric}.std": cell.std,
            f"{metric}.low": cell.low,
            f"{metric}.high": cell.high,
            f"{metric}.n": cell.n,
        }
    return flat


def write(rows: Sequence[ArmRow], study: StudyView, folder: Path) -> dict[str, Path]:
    """Write arms.csv, arms.tex and arms.html into `folder`; return their paths by ending."""
    listed = shown(rows)
    head = columns(listed, study.metric, 1 - float(study.record["alpha"]))
    body = printed(listed, study.metric)
    caption = f"{study.record['question']} {note(rows, study.metric)}"
    texts = {
        "csv": as_csv(as_frame(rows)),
        "tex": as_latex(head, body, caption, study.name),
        "html": as_html(head, body),
    }
    return write_formats(texts, "arms", folder)
