"""The mission's seven knobs on one scale: what each search says of the knobs it searched, method beside method.

Two scales that methods share. The share of a knob in reaching the best tenth of its search's configurations
(PED-ANOVA), times the number of knobs searched: 1 is the average knob, whatever the method. And two fixed contrasts in
points of the metric: configurations in the upper third of a knob's values less those in the lower third, and the
middle third less both ends; fixed before looking, so neither is biased by choosing the best and the worst.
Labels describe here; no configuration was chosen by them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.data.study_view import StudyView
from analysis.figures.drawing import BLACK, GREY, PALETTE, Drawing, canvas, tidy
from analysis.figures.section import Section
from analysis.number_format import label, name, scale, signed, unit
from analysis.sensitivity import estimators
from analysis.sensitivity.importance import FEWEST
from analysis.tables.formats import as_html
from analysis.tables.search_table import search_table

__all__ = ["SEVEN", "distinct_searches", "importance_section", "importances", "thirds"]

Floats = NDArray[np.float64]

SEVEN: Mapping[str, str] = {
    "pipcdr.neighbour_noise": "sigma",
    "pipcdr.kmeans_every": "k-means frequency",
    "pipcdr.queue_ratio": "queue size",
    "entropy.fairness_weight": "lambda",
    "pipcdr.cdr_weight": "lambda",
    "entropy.norm_weight": "gamma",
    "secu.dual_lr": "dual learning rate",
    "secu.lower_bound": "lower-bound ratio",
}
"""Knob -> what the papers call it; lambda is a weight in two of them."""


def distinct_searches(studies: Sequence[StudyView]) -> Iterator[tuple[StudyView, Mapping[str, Any]]]:
    """Yield every search with the first study that made it; the same trials under another study's name come once."""
    met = set()
    for study in studies:
        for search in study.record.get("searches", ()):
            trials: set[str] = set()
            for entry in search["history"]:
                trials.update(entry["trial_ids"])
            key = (search["method"], frozenset(trials))
            if trials and key not in met:
                met.add(key)
                yield study, search


def importances(studies: Sequence[StudyView], n_bootstrap: int = 200) -> pd.DataFrame:
    """Return one row per numeric knob of every search with enough configurations, the seven first.

    Columns: study, method, dataset, knob (METHOD.KNOB), word (the papers'; empty for others), configurations;
    `importance`, `low`, `high`: PED-ANOVA's share of the study's metric times the number of knobs; `rise`,
    `rise_low`, `rise_high` and `bend`, ...: the contrasts of thirds in the ledger's units, with 95 % intervals.
    """
    lines = []
    for study, search in distinct_searches(studies):
        table = search_table(study, search)
        table = table[np.isfinite(table["metric"])]
        knobs = table[[knob for knob in search["space"] if table[knob].nunique() > 1]]
        if len(table) < FEWEST or knobs.empty:
            continue
        metric = table["metric"].to_numpy(dtype=np.float64)
        shares = estimators.ped_anova(knobs, metric, search["space"], n_bootstrap=n_bootstrap) * len(knobs.columns)
        for knob in knobs.columns:
            values = pd.to_numeric(knobs[knob], errors="coerce").to_numpy(dtype=np.float64)
            full = f"{search['method']}.{knob}"
            lines.append(
                {
                    "study": study.name,
                    "method": search["method"],
                    "dataset": search["dataset"],
                    "knob": full,
                    "word": SEVEN.get(full, ""),
                    "configurations": len(table),
                    **shares.loc[knob, ["importance", "low", "high"]].to_dict(),
                    **thirds(values, metric),
                }
            )
    found = pd.DataFrame(lines)
    if found.empty:
        return found
    order = pd.Series(range(len(SEVEN)), index=list(SEVEN))
    place = found["knob"].map(order).fillna(len(SEVEN))
    return found.iloc[np.lexsort([found["dataset"], found["knob"], place])].reset_index(drop=True)


def thirds(values: Floats, metric: Floats) -> dict[str, float]:
    """Return the contrasts of the thirds of a knob's values, with 95 % intervals by Welch; nan where there are none.

    Args:
        values: (configurations,) of the knob.
        metric: (configurations,).
    """
    words = ("rise", "rise_low", "rise_high", "bend", "bend_low", "bend_high")
    if len(values) < 9 or not np.isfinite(values).all():
        return dict.fromkeys(words, math.nan)
    lower, middle, upper = np.array_split(metric[np.argsort(values, kind="stable")], 3)
    rise = _contrast([(1.0, upper), (-1.0, lower)])
    bend = _contrast([(1.0, middle), (-0.5, lower), (-0.5, upper)])
    return dict(zip(words, (*rise, *bend), strict=True))


def _contrast(parts: Sequence[tuple[float, Floats]]) -> tuple[float, float, float]:
    """Return a weighted sum of means and its Welch-Satterthwaite interval."""
    middle = total = spread = 0.0
    for weight, part in parts:
        error = float(weight**2 * part.var(ddof=1) / len(part))
        middle += weight * float(part.mean())
        total += error
        spread += error**2 / (len(part) - 1)
    if total == 0:
        return middle, middle, middle
    freedom = total**2 / spread
    reach = float(stats.t.ppf(0.975, freedom)) * math.sqrt(total)
    return middle, middle - reach, middle + reach


def importance_section(studies: Sequence[StudyView], n_bootstrap: int = 200) -> Section | None:
    """Return sentence, table and figure of the knobs on one scale; None without a search that is large enough."""
    table = importances(studies, n_bootstrap)
    if table.empty:
        return None
    metric = studies[0].metric
    seven = table[table["word"] != ""]
    missing = [full for full in SEVEN if full not in set(seven["knob"])]
    top = seven.sort_values("importance").iloc[-1] if len(seven) else None
    lead = (
        f"Of the mission's knobs {top['knob']} ({top['word']}, on {top['dataset']}) has the largest importance: "
        f"{_times(top)} the average knob of its search. "
        if top is not None
        else ""
    )
    sentence = (
        f"{lead}{len(set(table['study']))} searches, {int(table['configurations'].min())} configurations or more each; "
        f"intervals are 95 % (bootstrap over configurations; Welch for the thirds). Descriptive: a search samples "
        f"where it expects good configurations." + (f" Not searched: {', '.join(missing)}." if missing else "")
    )
    head = ["knob", "in the papers", "data", "importance [95 %]", _rise_label(metric), _bend_label(metric)]
    body = []
    for _, row in table.iterrows():
        about = [str(row["knob"]), str(row["word"]) or "–", str(row["dataset"])]
        body.append([*about, _times(row), _difference(row, "rise", metric), _difference(row, "bend", metric)])
    return Section("The knobs on one scale", sentence, as_html(head, body), (_figure(table, metric),))


def _rise_label(metric: str) -> str:
    return f"{name(metric)}{unit(metric)}: upper less lower third [95 %]"


def _bend_label(metric: str) -> str:
    return f"{name(metric)}{unit(metric)}: middle third less the ends [95 %]"


def _times(row: pd.Series[Any]) -> str:
    return f"{row['importance']:.2f} [{row['low']:.2f}, {row['high']:.2f}] times"


def _difference(row: pd.Series[Any], kind: str, metric: str) -> str:
    if math.isnan(row[kind]):
        return "–"
    low, high = signed(row[f"{kind}_low"], metric), signed(row[f"{kind}_high"], metric)
    return f"{signed(row[kind], metric)} [{low}, {high}]"


def _figure(table: pd.DataFrame, metric: str) -> Drawing:
    figure, grid = canvas(1, 2, (10.0, 1.3 + 0.42 * len(table)), share_y=True)
    share, points = grid[0]
    for place, (_, row) in enumerate(table.iterrows()):
        colour = PALETTE[0] if row["word"] else GREY
        share.plot([row["low"], row["high"]], [place, place], "|-", colour=colour, width=2, size=8)
        share.plot([row["importance"]], [place], "D", colour=colour, size=6, order=3)
        for shift, kind, mark, tint in ((-0.16, "rise", "o", PALETTE[1]), (0.16, "bend", "s", PALETTE[2])):
            if math.isfinite(row[kind]):
                ends = [scale(metric) * row[f"{kind}_low"], scale(metric) * row[f"{kind}_high"]]
                points.plot(ends, [place + shift] * 2, "|-", colour=tint, width=1.6, size=7)
                said = {"rise": "upper less lower third", "bend": "middle third less the ends"}[kind]
                middle = scale(metric) * row[kind]
                points.plot([middle], [place + shift], mark, colour=tint, size=5, label=said)
    share.rule(1, colour=BLACK, width=0.9, dash=":")
    points.rule(0, colour=BLACK, width=0.9)
    names = table["knob"] + "\n" + table["word"].replace("", "beside them") + ", " + table["dataset"]
    share.y.name(range(len(table)), names.to_list())
    share.y.ends = (len(table) - 0.5, -0.5)
    share.x_label = "importance: times the average knob of its search"
    points.x_label = f"difference in {label(metric)}"
    for axes in (share, points):
        tidy(axes, "x")
    figure.legend = points.labelled()
    caption = (
        f"Left: PED-ANOVA's share of each knob in reaching the best tenth of its search by {label(metric)}, times the "
        "number of knobs of that search (dotted: the average knob). Right: fixed contrasts between thirds of a knob's "
        "values. Bars are 95 % intervals; grey knobs are not among the mission's seven."
    )
    return Drawing("seven_knobs", "The knobs on one scale", caption, figure)
