"""Searches as they go: what has been tried, the best so far, the front, and how much each knob has to do with it.

A driver writes a search's history into the study's record when the search ends. Before that, the rows of the `search`
block say it: those of the search's method, dataset and budget whose knobs are those of its first trial, but for the
searched ones.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.live.search_rows import COLLAPSED, COMPLETE, SearchRows
from orchestrator.inference.objectives import recorded_objectives

__all__ = ["FollowedSearch", "metrics_under_way"]

FEWEST = 20
"""Configurations below which importances are not estimated, as in `sensitivity.importance`, which is slow to import."""
MOST_JUDGED = 1_000
"""Configurations that importances are estimated from; of more, some evenly over the history."""

MOST_POINTS = 300
"""Of a history that is sent to a page."""
MOST_ON_FRONT = 60
"""Configurations of a Pareto front that are sent to a page."""

Floats = npt.NDArray[np.float64]


def metrics_under_way(record: Mapping[str, Any]) -> list[str]:
    """Return the columns of the metrics that those of a study's searches go by whose history is not in the record."""
    unfinished = [search for search in record.get("searches", ()) if search.get("chosen") is None]
    return [f"metric.{one.metric}" for search in unfinished for one in recorded_objectives(search)]


class FollowedSearch:
    """One search of a study: its history so far.

    Args:
        search: its entry in the record.
        slots: of the trials of it that the plan has, in their order.
    """

    def __init__(self, search: Mapping[str, Any], slots: npt.NDArray[np.int64]) -> None:
        self._search, self._slots = search, slots
        self._objectives = recorded_objectives(search)
        self._signs = np.array([one.sign for one in self._objectives])
        self._names = list(search["space"])
        self.importances: list[tuple[str, float]] = []
        """Shares, the largest first; empty: too few configurations."""
        self._n_judged = 0
        self._begin()
        self._recorded = search.get("chosen") is not None
        if self._recorded:
            self._take_history([entry for entry in search["history"] if entry.get("objective")])

    def _begin(self) -> None:
        self._configs: list[str | Mapping[str, Any]] = []
        """In the order in which configurations ended: as JSON, or what a record has."""
        self._scores = np.zeros((0, len(self._objectives)))
        self._able = np.zeros(0, np.bool_)
        """Whether no seed collapsed."""
        self._best: list[tuple[int, float]] = []
        """Each time that something better came: number of configurations by then, first objective."""
        self._front = np.zeros(0, np.int64)
        self._pool, self._n_seen, self._n_changed = -1, 0, 0
        self._counted: set[int] = set()
        self._fixed: dict[str, Any] = {}

    def is_of(self, search: Mapping[str, Any], slots: npt.NDArray[np.int64]) -> bool:
        """Return whether it follows just this entry of a record, with just these trials."""
        return self._search == search and np.array_equal(self._slots, slots)

    def follow(self, rows: SearchRows) -> None:
        """Take in the configurations that have ended since the last call."""
        if self._recorded:
            return
        if self._pool >= 0 and rows.n_changed[self._pool] != self._n_changed:
            self._begin()
        if self._pool < 0:
            first = rows.first_of(self._slots)
            if first is None:
                return
            self._pool, self._fixed = rows.pool(first), self._without_searched(json.loads(rows.config(first)))
            self._n_changed = rows.n_changed[self._pool]
        news = rows.touched(self._pool, self._n_seen)
        self._n_seen = rows.n_touched
        self._take_ended(rows, [code for code in news if code not in self._counted])

    @property
    def due(self) -> bool:
        """Whether importances are to be estimated: a tenth more configurations than last time, and enough of them."""
        return self._n_finite >= max(FEWEST, 1.1 * self._n_judged)

    def estimate(self) -> None:
        """Estimate importances for the first objective, of the configurations so far."""
        from analysis.sensitivity import parzen
        from analysis.sensitivity.distributions import distribution

        finite = np.flatnonzero(np.isfinite(self._scores[:, 0]))
        self._n_judged = len(finite)
        taken = finite[:: 1 + len(finite) // MOST_JUDGED].tolist()
        tried, space = [self._values(place) for place in taken], self._search["space"]
        columns = {name: [one[name] for one in tried] for name in self._names}
        varied = {name: values for name, values in columns.items() if len(set(values)) > 1}
        known = {name: distribution(values, space[name]) for name, values in varied.items()}
        if not known:
            return
        best, whole = max(0.1, 6 / len(taken)), np.arange(len(taken))[None]
        (shares,) = parzen.shares(varied, known, self._scores[taken, 0] * self._signs[0], whole, best)
        found = zip(known, np.round(shares, 3).tolist(), strict=True)
        self.importances = sorted(found, key=lambda one: -np.nan_to_num(one[1]))

    def told(self) -> dict[str, Any]:
        """Return what a page shows of it."""
        n, first = len(self._scores), self._objectives[0]
        shown = range(0, n, 1 + n // MOST_POINTS)
        best = self._best[-1] if self._best else None
        return {
            "name": f"{self._search['method']} on {self._search['dataset']}",
            "rule": first.rule,
            "maximize": first.maximize,
            "n": n,
            "of": int(self._search["n_configurations"]),
            "points": [[place + 1, _known(self._scores[place, 0]), bool(self._able[place])] for place in shown],
            "best": [[place, value] for place, value in self._best[:: 1 + len(self._best) // MOST_POINTS]],
            "best_now": None if best is None else best[1],
            "best_values": {} if best is None else self._printed(best[0] - 1),
            "importances": [[knob, _known(share)] for knob, share in self.importances],
            "trade_off": self._trade_off(shown) if len(self._objectives) > 1 else None,
        }

    def _trade_off(self, shown: Sequence[int]) -> dict[str, Any]:
        """Return the configurations in their objectives, and which of them no other one beats in all."""
        on_front = self._front[np.argsort(-self._scores[self._front, 0] * self._signs[0], kind="stable")]
        listed = on_front[:: 1 + len(on_front) // MOST_ON_FRONT].tolist()
        scores = [[_known(value) for value in self._scores[place]] for place in shown]
        return {
            "rules": [one.rule for one in self._objectives],
            "directions": [one.direction for one in self._objectives],
            "points": [[*own, bool(self._able[place])] for place, own in zip(shown, scores, strict=True)],
            "n_front": len(on_front),
            "front": [[place + 1, self._scores[place].tolist(), self._printed(place)] for place in listed],
        }

    @property
    def _n_finite(self) -> int:
        return int(np.isfinite(self._scores[:, 0]).sum())

    def _take_history(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Count what a record says of a search that has ended."""
        width = len(self._objectives)
        scores = np.array([entry["objective"][:width] for entry in history], np.float64).reshape(-1, width)
        able = np.array([bool(entry.get("feasible", True)) for entry in history], np.bool_)
        self._count([entry["values"] for entry in history], scores, able)

    def _take_ended(self, rows: SearchRows, codes: Sequence[int]) -> None:
        """Count those of some configurations whose seeds have all ended, in their order."""
        ended = rows.states(codes, int(self._search["n_seeds"]))
        found, texts = [], []
        for place in np.flatnonzero((ended >= COMPLETE).all(axis=1)).tolist():
            text = rows.config(codes[place])
            if self._without_searched(json.loads(text)) == self._fixed:
                found.append(place)
                texts.append(text)
        own = [codes[place] for place in found]
        self._counted.update(own)
        metrics = [f"metric.{one.metric}" for one in self._objectives]
        scores = rows.values(own, ended.shape[1], metrics).mean(axis=1)
        self._count(texts, scores, (ended[found] != COLLAPSED).all(axis=1))

    def _count(self, configs: Sequence[str | Mapping[str, Any]], scores: Floats, able: npt.NDArray[np.bool_]) -> None:
        n_before = len(self._scores)
        self._configs.extend(configs)
        self._scores = np.concatenate([self._scores, scores])
        self._able = np.concatenate([self._able, able])
        for place in (n_before + np.flatnonzero(able & np.isfinite(scores[:, 0]))).tolist():
            value = float(self._scores[place, 0])
            if not self._best or (value - self._best[-1][1]) * self._signs[0] > 0:
                self._best.append((place + 1, value))
        if len(self._objectives) > 1:
            self._join_front(n_before + np.flatnonzero(able & np.isfinite(scores).all(axis=1)))

    def _join_front(self, new: npt.NDArray[np.int64]) -> None:
        from analysis.sensitivity.fronts import front

        tried = np.concatenate([self._front, new])
        self._front = tried[front(self._scores[tried] * self._signs)]

    def _values(self, place: int) -> dict[str, Any]:
        """Return the searched knobs of a configuration; lists as texts, which can be compared."""
        config = self._configs[place]
        whole = json.loads(config) if isinstance(config, str) else config
        plain = {name: whole.get(name) for name in self._names}
        return {name: json.dumps(value) if isinstance(value, list) else value for name, value in plain.items()}

    def _printed(self, place: int) -> dict[str, str]:
        values = self._values(place).items()
        return {name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in values}

    def _without_searched(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name not in self._search["space"]}


def _known(value: float) -> float | None:
    """Return a number as JSON has it."""
    return float(value) if math.isfinite(value) else None
