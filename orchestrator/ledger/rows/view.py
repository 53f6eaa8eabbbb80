"""The reading rule: which rows of all attempts a reader sees. Pure functions of tables; no file is touched here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Positions", "chosen", "mask_of", "rows_of", "selected", "taken"]

Positions = npt.NDArray[np.int64]


def chosen(parts: Sequence[pa.Table], *, every_attempt: bool = False, only: Iterable[str] | None = None) -> Positions:
    """Return the positions, in the concatenation of `parts`, of the rows that count.

    One row a trial_id: complete before pruned before failed, then the latest attempt; with `every_attempt` one row an
    attempt. Parts are in order of time; of two rows of one attempt and one state (a folder merged from copies) the
    earlier counts. Retracted attempts (rank 0) do not count. Trials come in the order in which they first appear.

    Args:
        parts: index tables (`index.compact`): columns trial_id, attempt, rank.
        every_attempt: keep all attempts.
        only: keep these trials.
    """
    if not parts:
        return np.zeros(0, np.int64)
    rows = pa.concat_tables(parts)
    if only is None:
        return _chosen(rows, every_attempt)
    mask = pc.is_in(rows["trial_id"], value_set=pa.array(list(only), pa.string()))
    places = np.flatnonzero(mask.to_numpy())
    return places[_chosen(rows.filter(mask), every_attempt)].astype(np.int64)


def _chosen(rows: pa.Table, every_attempt: bool) -> Positions:
    encoded = rows["trial_id"].combine_chunks().dictionary_encode()
    rank = rows["rank"].to_numpy()
    if len(encoded.dictionary) == len(rows):  # no trial twice, as nearly always: no sorting
        return np.arange(len(rows)) if every_attempt else np.flatnonzero(rank)
    codes = encoded.indices.to_numpy().astype(np.int64)
    attempt = rows["attempt"].to_numpy()
    age = -np.arange(len(codes))
    order = np.lexsort((age, rank, attempt, codes) if every_attempt else (age, attempt, rank, codes))
    differs = codes[order][1:] != codes[order][:-1]
    if every_attempt:
        differs |= attempt[order][1:] != attempt[order][:-1]
    last: Positions = order[np.append(differs, True)].astype(np.int64)
    return last if every_attempt else last[rank[last] > 0]


def taken(table: pa.Table, positions: Positions) -> pa.Table:
    """Return the rows at `positions`; no copy if that is all of them in order."""
    whole = len(positions) == len(table) and bool((positions == np.arange(len(table))).all())
    return table if whole else table.take(positions)


def selected(rows: pa.Table, columns: Sequence[str] | None) -> pa.Table:
    """Return some columns of a table, as far as it has them; None: all."""
    if columns is None:
        return rows
    return rows.select([name for name in columns if name in rows.column_names])


def rows_of(epochs: pa.Table, attempts: pa.Table) -> pa.Table:
    """Return those rows of `epochs` whose (trial_id, attempt) is among `attempts`."""
    mask = mask_of(epochs, attempts)
    return epochs if mask.all() else epochs.filter(pa.array(mask))


def mask_of(epochs: pa.Table, attempts: pa.Table) -> npt.NDArray[np.bool_]:
    """Return which rows of `epochs` have a (trial_id, attempt) that is among `attempts`."""
    known = attempts["trial_id"].unique()
    place = pc.index_in(epochs["trial_id"], value_set=known).fill_null(-1).to_numpy().astype(np.int64)
    own = pc.index_in(attempts["trial_id"], value_set=known).to_numpy().astype(np.int64)
    width = 1 + max(pc.max(epochs["attempt"]).as_py() or 0, pc.max(attempts["attempt"]).as_py() or 0)
    wanted = np.unique(own * width + attempts["attempt"].to_numpy())
    keys = np.where(place < 0, -1, place * width + epochs["attempt"].to_numpy())
    return np.isin(keys, wanted)
