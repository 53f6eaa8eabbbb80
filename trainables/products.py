"""Products of a few rows with many, whose rows have the same bits however many there are: what fused heads stand on.

In float32 on a CPU oneDNN multiplies: it adds up in one order whatever the number of rows, and uses AVX-512 on AMD's
processors too, where MKL does not (measured: 2.3 times as fast there, as fast on Intel's). It is asked by the operation
that torch's compiler uses, which takes factors as they lie, transposed ones too; those that torch documents copy both
and the product (measured: 3 times as long for a member alone, 1.1 to 1.2 for 64 together; the same bits). Where
oneDNN is not, products are cut along the summed dimension, as within a cut a BLAS adds up in one order as well.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor

from trainables.data.batches import cuts

__all__ = ["product"]

SUMMED = 400
"""Sums in one BLAS product are at most 1.5 times as long: measured bit-equal for 1 to 384 members up to 663, not at
784."""

FEWEST_ROWS, FEWEST_COLUMNS = 4, 16
"""Products of fewer are filled up: other kernels multiply them (measured: oneDNN below 2, a BLAS below 4 rows or 12
columns)."""


@cache
def _onednn() -> Any:
    """Return oneDNN's product of rows, or None where torch has none."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return None
    return getattr(torch.ops.mkldnn, "_linear_pointwise", None)


def product(left: Tensor, right: Tensor) -> Tensor:
    """Return left @ right.T, (n, m), of (n, d) and (m, d); a row of left has the same bits alone."""
    n_rows, n_columns = left.shape[0], right.shape[0]
    if n_rows < FEWEST_COLUMNS or n_columns < FEWEST_ROWS:
        left, right = _at_least(FEWEST_COLUMNS, left), _at_least(FEWEST_ROWS, right)
        return product(left, right)[:n_rows, :n_columns].contiguous()
    multiply = _onednn() if left.dtype is torch.float32 and left.device.type == "cpu" else None
    if multiply is not None:
        made: Tensor = multiply(left.contiguous(), _as_it_lies(right), None, "none", [], "")
        return made
    spans = cuts(left.shape[1], SUMMED)
    out = right[:, spans[0]] @ left[:, spans[0]].T  # the way round that was measured
    for span in spans[1:]:
        out.addmm_(right[:, span], left[:, span].T)
    return out.T.contiguous()


def _as_it_lies(rows: Tensor) -> Tensor:
    """Return rows whose numbers lie without gaps, by rows or by columns."""
    return rows if rows.is_contiguous() or rows.T.is_contiguous() else rows.contiguous()


def _at_least(n: int, rows: Tensor) -> Tensor:
    """Return rows (r, d), with zeros below until there are n."""
    return rows if rows.shape[0] >= n else torch.cat([rows, rows.new_zeros(n - rows.shape[0], rows.shape[1])])
