"""How an epoch is cut into batches: every point once, none of the batches tiny (no order, no data)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

__all__ = ["cuts", "side_by_side"]


def cuts(n_points: int, batch_size: int) -> list[slice]:
    """Return slices of 0..n_points-1, as many as come nearest to `batch_size` when their sizes differ by at most one.

    A last batch of a few points would have batch norm estimate from them and the duals count them at full weight;
    leaving it out would leave its points unlabelled. So 1,797 points at 128 are 14 batches of 128 or 129.
    """
    n_batches = max(1, round(n_points / batch_size))
    edges = [n_points * place // n_batches for place in range(n_batches + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def side_by_side(widths: Sequence[int]) -> list[slice]:
    """Return where parts of these widths lie, one behind the other."""
    ends = accumulate(widths)
    return [slice(end - width, end) for width, end in zip(widths, ends, strict=True)]
