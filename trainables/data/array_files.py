"""Files of arrays and tables: .npy (memory-mapped), .npz, .csv, .tsv, .parquet; read as they are, whatever they mean.

Files are opened by Python, so that a plan sees which ones it follows from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator.errors import DataError, RequestError, UnknownNameError

__all__ = ["Content", "read", "read_column"]

Array = np.ndarray[Any, Any]

POINTS = ("x", "X", "points", "embeddings", "features", "arr_0")
"""Under which of these names an .npz file has the points, where nobody says a name."""


@dataclass(frozen=True)
class Content:
    """What a file holds: arrays by name, or the columns of a table."""

    path: Path
    arrays: Mapping[str, Array]
    table: bool
    """Whether they are columns."""

    def array(self, key: str = "") -> Array:
        """Return the array of points of a file that is no table.

        Raises:
            UnknownNameError: there is none of this name.
            RequestError: there are several, and none is named.
        """
        if key:
            return self.column(key)
        if len(self.arrays) == 1:
            return next(iter(self.arrays.values()))
        likely = [name for name in POINTS if name in self.arrays]
        if len(likely) != 1:
            there = ", ".join(self.arrays)
            raise RequestError(
                f"{str(self.path)!r} holds several arrays; say which has the points: key=NAME of {there}"
            )
        return self.arrays[likely[0]]

    def column(self, name: str) -> Array:
        """Return an array or a column by its name.

        Raises:
            UnknownNameError: there is none.
        """
        if name not in self.arrays:
            raise UnknownNameError(f"{'column' if self.table else 'array'} of {self.path.name}", name, self.arrays)
        return self.arrays[name]

    def numbers(self, columns: Sequence[str], without: Sequence[str]) -> Array:
        """Return columns of a table side by side, (rows, columns) float32.

        Args:
            columns: their names; empty: all.
            without: of these, columns that are no part of a point.

        Raises:
            UnknownNameError: no such column.
            DataError: a column holds no numbers, or none is left.
        """
        names = [name for name in columns or self.arrays if name not in without]
        found = []
        for name in names:
            values = self.column(name)
            if values.dtype.kind not in "iufb":
                raise DataError(
                    f"{str(self.path)!r}: column {name!r} holds no numbers; name those of the points: columns=A+B, or "
                    f"labels={name}"
                )
            found.append(values.astype(np.float32))
        if not found:
            raise DataError(f"{str(self.path)!r} has no column of numbers")
        return np.stack(found, axis=1)


def read(path: Path) -> Content:
    """Return what a file holds; an array of .npy stays in its file and is mapped into memory, copied where written to.

    Raises:
        DataError: there is no such file, or it cannot be read; the line names it.
    """
    if not path.is_file():
        raise DataError(f"there is no file {str(path)!r}")
    reader = {".npy": _npy, ".npz": _npz, ".parquet": _parquet, ".tsv": _table, ".csv": _table}.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{str(path)!r}: files of points end in .npy, .npz, .csv, .tsv or .parquet")
    try:
        return reader(path)
    except Exception as error:  # whatever it is that a library says of a file that somebody brings
        raise DataError(f"{str(path)!r} cannot be read: {' '.join(str(error).split())}") from error


def read_column(path: Path) -> Array:
    """Return the one array, or the one column, of a file of labels or groups.

    Raises:
        DataError: it cannot be read.
        RequestError: it holds several.
    """
    found = read(path)
    if len(found.arrays) != 1:
        raise RequestError(f"{str(path)!r} holds {', '.join(found.arrays)}; allowed: a file with one of them alone")
    return next(iter(found.arrays.values()))


def _npy(path: Path) -> Content:
    mapped = np.load(path, mmap_mode="c", allow_pickle=False)
    return Content(path, {"array": np.asarray(mapped)}, table=False)


def _npz(path: Path) -> Content:
    with np.load(path, allow_pickle=False) as file:
        return Content(path, {name: file[name] for name in file.files}, table=False)


def _table(path: Path) -> Content:
    import pandas as pd

    with path.open("rb") as file:
        frame = pd.read_csv(file, sep="\t" if path.suffix.lower() == ".tsv" else ",")
    return Content(path, {str(name): frame[name].to_numpy() for name in frame.columns}, table=True)


def _parquet(path: Path) -> Content:
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        frame = pq.read_table(file, use_threads=False).to_pandas()
    return Content(path, {str(name): frame[name].to_numpy() for name in frame.columns}, table=True)
