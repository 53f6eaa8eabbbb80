"""Tables of counts of whole bundles, and what information theory says of them; NumPy only.

Each number of a member comes from its own table only, so it has the same bits alone and in any bundle.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Ints", "contingency", "entropy", "mutual_information"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]


def contingency(hard: Ints, labels: Ints, n_rows: int, n_columns: int) -> Ints:
    """Return the tables (M, n_rows, n_columns) that count (cluster, label); `labels` is (N,) or (M, N)."""
    cells = hard * n_columns  # then in place: fresh memory for each step would cost more than the counting
    cells += labels
    cells += np.arange(len(hard))[:, None] * (n_rows * n_columns)
    counts = np.bincount(cells.ravel(), minlength=len(hard) * n_rows * n_columns)
    return counts.reshape(len(hard), n_rows, n_columns).astype(np.int64, copy=False)


def entropy(counts: Ints) -> Floats:
    """Return the entropy in nats of each row of counts (M, n)."""
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    result: Floats = -(shares * logs).sum(1)
    return np.abs(result)  # -0.0 becomes 0.0


def mutual_information(table: Ints) -> Floats:
    """Return the mutual information in nats of each table of counts (M, R, C)."""
    total = table.sum((1, 2))
    expected = table.sum(2)[:, :, None] * table.sum(1)[:, None, :]  # n a_i b_j would be the count under independence
    shares = table / np.maximum(total, 1)[:, None, None]
    filled = table > 0
    ratio = np.divide(table * total[:, None, None], expected, out=np.ones_like(shares), where=filled)
    result: Floats = (shares * np.log(ratio)).reshape(len(table), -1).sum(1)
    return np.maximum(result, 0.0)
