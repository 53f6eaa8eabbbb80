"""Several objectives of a search: which configurations no other one beats in all of them, and how sure that is.

A front of means is drawn by noise too. So the search seeds are resampled, the same for all configurations since these
share them, and every configuration has the share of resamples in which it is on the front.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.sensitivity.fronts import front
from analysis.tables.arm_tables import mean_interval
from orchestrator.inference.objectives import recorded_objectives

__all__ = ["FEWEST_SEEDS", "trade_offs"]

Floats = NDArray[np.float64]

FEWEST_SEEDS = 3
"""Below it resampled seeds are nearly always the same ones."""

N_RESAMPLES = 2_000
_SEED = 20_260_302


def trade_offs(study: StudyView, search: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per configuration that may be chosen, by number; the front first, then by the first objective.

    Columns: for each objective its name, and its name with `.low` and `.high`: the mean over search seeds and its 95 %
    t interval; `on_front` (of the means), `share`: of resampled seeds, in how many it is on the front (nan with fewer
    than FEWEST_SEEDS). Configurations that failed, were pruned, lack a value or have a collapsed seed are left out.
    """
    objectives = recorded_objectives(search)
    able = {
        entry["number"]: entry["objective"]
        for entry in search["history"]
        if entry["state"] == "complete" and entry.get("feasible", True) and _known(entry.get("objective"))
    }
    if not able:
        return pd.DataFrame({"on_front": pd.Series(dtype=bool), "share": pd.Series(dtype=float)})
    table = pd.DataFrame.from_dict(able, orient="index", columns=[one.rule for one in objectives])
    signs = np.array([one.sign for one in objectives])
    table["on_front"] = front(table.to_numpy(dtype=np.float64) * signs)
    values = _by_seed(study, search, [one.metric for one in objectives], table.index)
    for place, one in enumerate(objectives):
        cells = [mean_interval(own[np.isfinite(own)]) for own in values[:, :, place]]
        table[f"{one.rule}.low"], table[f"{one.rule}.high"] = [c.low for c in cells], [c.high for c in cells]
    table["share"] = _shares(values * signs)
    first = table[objectives[0].rule] * signs[0]
    order = np.lexsort([-first, ~table["on_front"]])
    return table.iloc[order].rename_axis("number")


def _known(objective: Any) -> bool:
    return bool(objective) and all(map(math.isfinite, objective))


def _by_seed(study: StudyView, search: Mapping[str, Any], metrics: list[str], numbers: pd.Index) -> Floats:
    """Return the objectives of each configuration on each search seed, (configurations, seeds, objectives)."""
    rows = study_view.search_rows(study, search)
    rows = rows[rows["state"] == "complete"]
    seeds = sorted(set(rows["seed"]))
    tables = []
    for metric in metrics:
        column = f"metric.{metric}"
        if column not in rows:
            tables.append(np.full((len(numbers), len(seeds)), np.nan))
            continue
        own = rows.pivot_table(index="configuration", columns="seed", values=column, dropna=False)
        tables.append(own.reindex(index=numbers, columns=seeds).to_numpy(dtype=np.float64))
    return np.stack(tables, axis=2)


def _shares(values: Floats) -> Floats:
    """Return in which share of resampled seeds each configuration is on the front of (configurations, seeds, ...)."""
    whole = np.isfinite(values).all(axis=(1, 2))
    shares = np.full(len(values), np.nan)
    n_seeds = values.shape[1]
    if n_seeds < FEWEST_SEEDS or not whole.any():
        return shares
    random = np.random.default_rng(_SEED)
    counts = np.zeros(int(whole.sum()))
    for _ in range(N_RESAMPLES):
        counts += front(values[whole][:, random.integers(n_seeds, size=n_seeds)].mean(axis=1))
    shares[whole] = counts / N_RESAMPLES
    return shares
