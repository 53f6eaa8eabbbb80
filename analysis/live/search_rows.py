"""What the live page keeps of the search block's rows: a cell a trial, by configuration and seed, in plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.ledger.rows.following import Change
from orchestrator.trial import SeedBlock, TrialState

__all__ = ["COLLAPSED", "COLUMNS", "COMPLETE", "SearchRows"]

_SHARED = ("method", "method_version", "dataset", "dataset_digest", "protocol", "n_epochs", "precision", "stop")
"""What all trials of a search have in common, besides the knobs that are not searched."""

COLUMNS = ("seed_block", "seed", "config", *_SHARED)
"""Of the trials table, besides the metrics that searches go by."""

ENDED, COMPLETE, COLLAPSED = 1, 2, 3
"""What a cell holds; 0: no row. A collapsed trial is a complete one."""

MOST_SEEDS = 1_000
"""Rows of the search block with a larger seed are of no search, and are left out."""

SLICE_ROWS = 8_192
"""Rows that are taken in at once: their texts are copied meanwhile."""

_BETWEEN = "\x1f"


class SearchRows:
    """The rows of the search block of a folder, taken in change by change.

    Configurations have codes from 0 on. A pool is what trials of one search have in common besides their knobs.

    Args:
        metrics: columns of what searches go by; without any, no row is kept.
    """

    def __init__(self, metrics: tuple[str, ...]) -> None:
        self.metrics = metrics
        self.n_changed: list[int] = []
        """By pool, how often a row that was there changed or went."""
        self._pools: dict[str, int] = {}
        self._codes: dict[str, int] = {}
        self._keys: list[str] = []
        """By code: pool and config."""
        self._pool_of = np.zeros(0, np.int32)
        self._cells = np.zeros((0, 0), np.int8)
        self._values = np.zeros((0, 0, len(metrics)))
        """By code, seed and metric."""
        self._places = np.zeros((0, 2), np.int32)
        """By slot: code and seed of its row; seed -1: none."""
        self._touched = np.zeros(0, np.int32)
        self.n_touched = 0

    def take(self, change: Change) -> None:
        """Take in what a look found."""
        if not self.metrics:
            return
        self._forget(change.gone[change.gone < len(self._places)])
        rows = _with(change.rows, (*COLUMNS, "state", "collapsed", *self.metrics))
        seeds = pc.fill_null(rows["seed"].cast(pa.int64()), -1).to_numpy()
        own = pc.equal(rows["seed_block"], str(SeedBlock.SEARCH)).fill_null(False).to_numpy(zero_copy_only=False)
        own = own & (seeds >= 0) & (seeds < MOST_SEEDS)
        rows, slots, seeds = rows.filter(pa.array(own)), change.slots[own], seeds[own]
        for start in range(0, len(slots), SLICE_ROWS):
            part = slice(start, start + SLICE_ROWS)
            self._take(rows.slice(start, SLICE_ROWS), slots[part], seeds[part])

    def first_of(self, slots: npt.NDArray[np.int64]) -> int | None:
        """Return the configuration of the first of these trials that has a row; None: none has."""
        own = self._places[slots[slots < len(self._places)]]
        there = np.flatnonzero(own[:, 1] >= 0)
        return int(own[there[0], 0]) if len(there) else None

    def pool(self, code: int) -> int:
        """Return the pool of a configuration."""
        return int(self._pool_of[code])

    def config(self, code: int) -> str:
        """Return a configuration as JSON."""
        return self._keys[code].partition(_BETWEEN)[2]

    def touched(self, pool: int, start: int) -> list[int]:
        """Return the configurations of a pool that rows came of since `n_touched` was `start`, the last one last."""
        codes = self._touched[start : self.n_touched]
        backwards = codes[self._pool_of[codes] == pool][::-1]
        found, places = np.unique(backwards, return_index=True)
        ordered: list[int] = found[np.argsort(-places)].tolist()
        return ordered

    def states(self, codes: Sequence[int], n_seeds: int) -> npt.NDArray[np.int8]:
        """Return (configurations, seeds) what the first seeds of configurations have come to."""
        found = np.zeros((len(codes), n_seeds), np.int8)
        width = min(n_seeds, self._cells.shape[1])
        found[:, :width] = self._cells[list(codes), :width]
        return found

    def values(self, codes: Sequence[int], n_seeds: int, metrics: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return (configurations, seeds, metrics) what the first seeds of configurations measured; nan: nothing."""
        columns = [self.metrics.index(metric) for metric in metrics]
        found: npt.NDArray[np.float64] = self._values[list(codes), :n_seeds][:, :, columns]
        return found

    def _take(self, rows: pa.Table, slots: npt.NDArray[np.int64], seeds: npt.NDArray[np.int64]) -> None:
        codes = self._codes_of(rows)
        self._make_room(int(seeds.max()) + 1, int(slots.max()) + 1)
        for pool in self._pool_of[codes[self._cells[codes, seeds] > 0]].tolist():
            self.n_changed[pool] += 1
        complete = pc.equal(rows["state"], str(TrialState.COMPLETE)).fill_null(False).to_numpy(zero_copy_only=False)
        collapsed = rows["collapsed"].cast(pa.bool_()).fill_null(False).to_numpy(zero_copy_only=False)
        self._cells[codes, seeds] = np.where(complete, np.where(collapsed, COLLAPSED, COMPLETE), ENDED)
        for place, metric in enumerate(self.metrics):
            measured = rows[metric].cast(pa.float64()).fill_null(np.nan).to_numpy()
            self._values[codes, seeds, place] = measured
        self._places[slots] = np.stack([codes, seeds], axis=1)
        self._touched = _room(self._touched, self.n_touched + len(codes))
        self._touched[self.n_touched : self.n_touched + len(codes)] = codes
        self.n_touched += len(codes)

    def _forget(self, slots: npt.NDArray[np.int64]) -> None:
        for code, seed in self._places[slots].tolist():
            if seed >= 0:
                self._cells[code, seed] = 0
                self.n_changed[self._pool_of[code]] += 1
        self._places[slots] = -1

    def _codes_of(self, rows: pa.Table) -> npt.NDArray[np.int64]:
        """Return the code of each row's configuration; new ones get one."""
        shared = [_text(rows[name]) for name in _SHARED]
        pools = _places(pc.binary_join_element_wise(*shared, _BETWEEN), self._new_pool)
        keys = pc.binary_join_element_wise(pa.array(pools).cast(pa.string()), _text(rows["config"]), _BETWEEN)
        return _places(keys, self._new_code)

    def _new_pool(self, shared: str) -> int:
        place = self._pools.setdefault(shared, len(self._pools))
        if place == len(self.n_changed):
            self.n_changed.append(0)
        return place

    def _new_code(self, key: str) -> int:
        code = self._codes.setdefault(key, len(self._keys))
        if code == len(self._keys):
            self._keys.append(key)
            self._pool_of = _room(self._pool_of, code + 1)
            self._pool_of[code] = int(key.partition(_BETWEEN)[0])
        return code

    def _make_room(self, n_seeds: int, n_slots: int) -> None:
        width, before = max(n_seeds, self._cells.shape[1]), len(self._places)
        if width > self._cells.shape[1]:
            more = ((0, 0), (0, width - self._cells.shape[1]))
            self._cells = np.pad(self._cells, more)
            self._values = np.pad(self._values, (*more, (0, 0)))
        self._cells = _room(self._cells, len(self._keys))
        self._values = _room(self._values, len(self._keys))
        self._places = _room(self._places, n_slots)
        self._places[before:] = -1


def _with(rows: pa.Table, names: Sequence[str]) -> pa.Table:
    """Return these columns; nulls in place of those that no batch had."""
    there = set(rows.column_names)
    return pa.table({name: rows[name] if name in there else pa.nulls(len(rows)) for name in names})


def _text(column: pa.ChunkedArray) -> pa.Array:
    return pc.fill_null(column.cast(pa.string()), "").combine_chunks()


def _places(texts: pa.Array, place_of: Callable[[str], int]) -> npt.NDArray[np.int64]:
    """Return the place of each text; each distinct one is asked for once."""
    encoded = texts.dictionary_encode()
    places = np.array([place_of(text) for text in encoded.dictionary.to_pylist()], np.int64)
    found: npt.NDArray[np.int64] = places[encoded.indices.to_numpy()]
    return found


def _room(kept: npt.NDArray[Any], n: int) -> npt.NDArray[Any]:
    """Return an array of at least so many entries, the new ones zero."""
    if n <= len(kept):
        return kept
    return np.pad(kept, ((0, max(n, 2 * len(kept)) - len(kept)), *[(0, 0)] * (kept.ndim - 1)))
