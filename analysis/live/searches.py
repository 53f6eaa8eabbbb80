"""Searches as they go: what has been tried, the best so far, and how much each knob has to do with it.

A driver writes a search's history into the study's record when the search ends. Before that, the rows of the `search`
block say it: those of the search's method, dataset and budget whose knobs are those of its first trial, but for the
searched ones.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from orchestrator.inference.objectives import recorded_objectives
from orchestrator.ledger.rows.following import Change
from orchestrator.trial import SeedBlock, TrialState

__all__ = ["COLUMNS", "FollowedSearch", "SearchRows", "metrics_under_way"]

_SHARED = ("method", "method_version", "dataset", "dataset_digest", "protocol", "n_epochs", "precision", "stop")
"""What all trials of a search have in common, besides the knobs that are not searched."""

COLUMNS = ("seed_block", "seed", "config", *_SHARED)
"""Of the trials table, besides the metrics that searches go by."""

FEWEST = 20
"""Configurations below which importances are not estimated, as in `sensitivity.importance`, which is slow to import."""

SLICE_ROWS = 2_048

MOST_POINTS = 300
"""Of a history that is sent to a page."""


def metrics_under_way(record: Mapping[str, Any]) -> list[str]:
    """Return the columns of the metrics that those of a study's searches go by whose history is not in the record."""
    unfinished = [search for search in record.get("searches", ()) if search.get("chosen") is None]
    return [f"metric.{recorded_objectives(search)[0].metric}" for search in unfinished]


@dataclass(eq=False, slots=True)
class _Configuration:
    """What the seeds of one configuration said."""

    text: str
    seeds: dict[int, tuple[bool, bool, tuple[float | None, ...]]] = field(default_factory=dict)
    """Seed -> whether it is complete, whether it collapsed, metrics."""


class _Pool:
    """Trials of the search block that share everything but knobs."""

    def __init__(self) -> None:
        self.configurations: dict[str, _Configuration] = {}
        self.touched: list[_Configuration] = []
        """In the order of the rows; a configuration comes once for each of its rows."""
        self.n_changed = 0
        """How often a row that was there changed or went."""


class SearchRows:
    """The rows of the search block of a folder, taken in change by change.

    Args:
        metrics: columns of what searches go by.
    """

    def __init__(self, metrics: tuple[str, ...]) -> None:
        self.metrics = metrics
        self._pools: dict[tuple[Any, ...], _Pool] = {}
        self._places: dict[int, tuple[_Pool, _Configuration, int]] = {}
        """Slot -> where its row is: pool, configuration, seed."""

    def take(self, change: Change) -> None:
        """Take in what a look found."""
        if not self.metrics:
            return
        for slot in change.gone.tolist():
            if slot in self._places:
                pool, configuration, seed = self._places.pop(slot)
                configuration.seeds.pop(seed, None)
                pool.n_changed += 1
        own = pc.equal(change.rows["seed_block"], str(SeedBlock.SEARCH)).fill_null(False)
        rows = change.rows.filter(own).select([*COLUMNS, "state", "collapsed", *self.metrics])
        slots = change.slots[own.to_numpy()].tolist()
        for start in range(0, len(slots), SLICE_ROWS):  # as Python objects, rows take some kB each
            some = rows.slice(start, SLICE_ROWS).to_pylist()
            for slot, row in zip(slots[start : start + SLICE_ROWS], some, strict=True):
                self._take(slot, row)

    def found(self, slots: npt.NDArray[np.int64]) -> tuple[_Pool, str] | None:
        """Return the pool of the first of these trials that has a row, and its configuration; None: none has."""
        for slot in slots.tolist():
            if slot in self._places:
                pool, configuration, _ = self._places[slot]
                return pool, configuration.text
        return None

    def _take(self, slot: int, row: Mapping[str, Any]) -> None:
        pool = self._pools.setdefault(tuple(row[name] for name in _SHARED), _Pool())
        configuration = pool.configurations.setdefault(row["config"], _Configuration(row["config"]))
        values = tuple(row[name] for name in self.metrics)
        pool.n_changed += slot in self._places
        configuration.seeds[row["seed"]] = (row["state"] == TrialState.COMPLETE, bool(row["collapsed"]), values)
        self._places[slot] = (pool, configuration, row["seed"])
        pool.touched.append(configuration)


class FollowedSearch:
    """One search of a study: its history so far.

    Args:
        search: its entry in the record.
        slots: of the trials of it that the plan has, in their order.
    """

    def __init__(self, search: Mapping[str, Any], slots: npt.NDArray[np.int64]) -> None:
        self._search, self._slots = search, slots
        self._objective = recorded_objectives(search)[0]
        self._begin()
        self.importances: list[tuple[str, float]] = []
        """Shares, the largest first; empty: too few configurations."""
        self._n_judged = 0
        self._recorded = search.get("chosen") is not None
        if self._recorded:
            for entry in search["history"]:
                if entry.get("objective"):
                    self._count(entry["values"], float(entry["objective"][0]), bool(entry.get("feasible", True)))

    def _begin(self) -> None:
        self._n_seen = self._n_changed = 0
        self._counted: set[_Configuration] = set()
        self._values: list[tuple[Any, ...]] = []
        self._points: list[tuple[float, bool]] = []
        """Objective and whether no seed collapsed, in the order in which configurations ended."""
        self._best: list[tuple[int, float]] = []
        """Each time that something better came: number of configurations by then, objective."""
        self._column = 0
        self._fixed: dict[str, Any] | None = None
        self._pool: _Pool | None = None

    def follow(self, rows: SearchRows) -> None:
        """Take in the configurations that have ended since the last call."""
        if self._recorded:
            return
        if self._pool is not None and self._pool.n_changed != self._n_changed:
            self._begin()
        if self._pool is None:
            found = rows.found(self._slots)
            if found is None:
                return
            self._pool, text = found
            self._column = rows.metrics.index(f"metric.{self._objective.metric}")
            self._n_changed, self._fixed = self._pool.n_changed, self._without_searched(json.loads(text))
        for configuration in self._pool.touched[self._n_seen :]:
            if configuration not in self._counted:
                self._judge(configuration)
        self._n_seen = len(self._pool.touched)

    @property
    def due(self) -> bool:
        """Whether importances are to be estimated: a tenth more configurations than last time, and enough of them."""
        return len(self._finite) >= max(FEWEST, 1.1 * self._n_judged)

    def estimate(self) -> None:
        """Estimate importances of the configurations so far; of very many, of some evenly over the history."""
        import pandas as pd

        from analysis.sensitivity.estimators import ped_anova

        finite = self._finite
        self._n_judged = len(finite)
        taken = finite[:: 1 + len(finite) // 1_000]
        names = list(self._search["space"])
        knobs = pd.DataFrame([self._values[place] for place in taken], columns=names)
        knobs = knobs[[name for name in names if knobs[name].nunique() > 1]]
        if knobs.empty:
            return
        sign = 1.0 if self._objective.maximize else -1.0
        values = np.array([sign * self._points[place][0] for place in taken])
        shares = ped_anova(knobs, values, self._search["space"], n_bootstrap=0)["importance"]
        self.importances = [(str(name), round(float(share), 3)) for name, share in shares.items()]

    def told(self) -> dict[str, Any]:
        """Return what a page shows of it."""
        numbered, step = list(enumerate(self._points, start=1)), 1 + len(self._points) // MOST_POINTS
        best = self._best[-1] if self._best else None
        names = list(self._search["space"])
        return {
            "name": f"{self._search['method']} on {self._search['dataset']}",
            "rule": str(self._search["rules"][0]),
            "maximize": self._objective.maximize,
            "n": len(self._points),
            "of": int(self._search["n_configurations"]),
            "points": [[place, _finite(value), able] for place, (value, able) in numbered[::step]],
            "best": [[place, value] for place, value in self._best[:: 1 + len(self._best) // MOST_POINTS]],
            "best_now": None if best is None else best[1],
            "best_values": {} if best is None else dict(zip(names, map(str, self._values[best[0] - 1]), strict=True)),
            "importances": [[knob, _finite(share)] for knob, share in self.importances],
        }

    @property
    def _finite(self) -> list[int]:
        return [place for place, (value, _) in enumerate(self._points) if math.isfinite(value)]

    def _judge(self, configuration: _Configuration) -> None:
        """Count a configuration whose seeds have all ended."""
        ended = [configuration.seeds.get(seed) for seed in range(int(self._search["n_seeds"]))]
        if any(one is None or not one[0] for one in ended):
            return
        values = json.loads(configuration.text)
        if self._without_searched(values) != self._fixed:
            return
        self._counted.add(configuration)
        measured = [one[2][self._column] for one in ended if one is not None]
        mean = math.nan if None in measured else float(np.mean(np.array(measured, np.float64)))
        self._count(values, mean, not any(one[1] for one in ended if one is not None))

    def _count(self, values: Mapping[str, Any], objective: float, feasible: bool) -> None:
        self._values.append(tuple(_plain(values.get(name)) for name in self._search["space"]))
        self._points.append((objective, feasible))
        if not feasible or not math.isfinite(objective):
            return
        better = not self._best or (objective > self._best[-1][1]) == self._objective.maximize
        if better and (not self._best or objective != self._best[-1][1]):
            self._best.append((len(self._points), objective))

    def _without_searched(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name not in self._search["space"]}


def _finite(value: float) -> float | None:
    """Return a number as JSON has it."""
    return value if math.isfinite(value) else None


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | tuple) else value
