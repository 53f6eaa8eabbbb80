"""Products of a few rows with many, whose rows have the same bits however many there are: what fused heads stand on.

In float32 on a CPU oneDNN multiplies (torch's `to_mkldnn`): it adds up in one order whatever the number of rows, and
uses AVX-512 on AMD's processors too, where MKL does not (measured: 2.3 times as fast there, as fast on Intel's). Where
oneDNN is not, products are cut along the summed dimension, as within a cut a BLAS adds up in one order as well.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import linear

from trainables.data.batches import cuts

__all__ = ["packed", "product"]

SUMMED = 400
"""Sums in one BLAS product are at most 1.5 times as long: measured bit-equal for 1 to 384 members up to 663, not at
784."""

FEWEST_ROWS, FEWEST_COLUMNS = 4, 16
"""Products of fewer are filled up: other kernels multiply them (measured: oneDNN below 2, a BLAS below 4 rows or 12
columns)."""


@cache
def _has_onednn() -> bool:
    return bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


def packed(rows: Tensor) -> Tensor:
    """Return rows (n, d) as `product` takes them fastest: worth while where a factor is used more than once."""
    if rows.dtype is torch.float32 and rows.device.type == "cpu" and not rows.is_mkldnn and _has_onednn():
        return rows.contiguous().to_mkldnn()
    return rows


def product(left: Tensor, right: Tensor) -> Tensor:
    """Return left @ right.T, (n, m), of (n, d) and (m, d), packed or not; a row of left has the same bits alone."""
    n_rows, n_columns = len(left), len(right)
    if n_rows < FEWEST_COLUMNS or n_columns < FEWEST_ROWS:
        left, right = _at_least(FEWEST_COLUMNS, left), _at_least(FEWEST_ROWS, right)
        return product(left, right)[:n_rows, :n_columns].contiguous()
    left, right = packed(left), packed(right)
    if left.is_mkldnn:
        return linear(left, right).to_dense()
    spans = cuts(left.shape[1], SUMMED)
    out = right[:, spans[0]] @ left[:, spans[0]].T  # the way round that was measured
    for span in spans[1:]:
        out.addmm_(right[:, span], left[:, span].T)
    return out.T.contiguous()


def _at_least(n: int, rows: Tensor) -> Tensor:
    """Return rows (r, d), with zeros below until there are n."""
    if len(rows) >= n:
        return rows
    dense = rows.to_dense() if rows.is_mkldnn else rows
    return torch.cat([dense, dense.new_zeros(n - len(dense), dense.shape[1])])
