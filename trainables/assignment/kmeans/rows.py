"""Points as k-means sees them, centred or of length 1: few are copied once, many are made so where they are looked at.

A copy of many points would not fit beside them: they stay as they came, in a file that is mapped into memory for one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

__all__ = ["Rows", "block_by_block", "centred", "of_length_one"]

COPIED = 1 << 24
"""Numbers (64 MB in float32) up to which points are copied to be centred or scaled once, not at each look."""

BLOCK = 1 << 21
"""Numbers of more points than that of which a copy is made at once."""


@dataclass(frozen=True)
class Rows:
    """Points (N, d) less a mean, or over their lengths, or as they are; the same numbers however they are held."""

    held: Tensor
    """(N, d) contiguous."""
    subtracted: Tensor | None = None
    """(d,) what is still to be subtracted at a look."""
    lengths: Tensor | None = None
    """(N, 1) what points are still to be divided by at a look."""

    def __len__(self) -> int:
        return len(self.held)

    @property
    def are_few(self) -> bool:
        """Whether a copy of all of them may be made."""
        return self.held.numel() <= COPIED

    @property
    def at_once(self) -> int:
        """How many points may be copied at once: all if they are few, else a few thousand."""
        return len(self) if self.are_few else max(2, BLOCK // self.held.shape[1])

    def new_empty(self, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
        """Return a tensor where the points are, of their type unless another is named."""
        return self.held.new_empty(*shape, dtype=dtype or self.held.dtype)

    def block(self, part: slice) -> Tensor:
        """Return points that lie side by side, (n, d)."""
        return _made(self.held[part], self.subtracted, None if self.lengths is None else self.lengths[part])

    def at(self, places: Tensor) -> Tensor:
        """Return the points at some places (...), (..., d)."""
        flat = places.flatten()
        lengths = None if self.lengths is None else self.lengths.index_select(0, flat)
        return _made(self.held.index_select(0, flat), self.subtracted, lengths).view(*places.shape, -1)

    def each(self, fact: Callable[[Tensor, slice], Tensor]) -> Tensor:
        """Return (N,) what a function of a block of points, and of where it lies, says of each point alone."""
        found = self.new_empty(len(self))
        for part in block_by_block(self):  # in place: small results between blocks would keep their memory taken
            found[part] = fact(self.block(part), part)
        return found


def centred(points: Tensor, mean: Tensor) -> Rows:
    """Return points (N, d) less their mean (d,)."""
    if points.numel() <= COPIED:
        return Rows(points - mean)
    return Rows(points.contiguous(), subtracted=mean)


def of_length_one(points: Tensor) -> Rows:
    """Return the directions of points (N, d); a zero vector stays."""
    points = points.contiguous()
    tiny = torch.finfo(points.dtype).tiny
    lengths = Rows(points).each(lambda rows, _: torch.linalg.vector_norm(rows, dim=1)).clamp_min(tiny)[:, None]
    return Rows(points / lengths) if points.numel() <= COPIED else Rows(points, lengths=lengths)


def block_by_block(rows: Rows) -> list[slice]:
    """Return where blocks lie that may be copied, together all points."""
    starts = range(0, max(1, len(rows) - 1), rows.at_once)  # no last block of one point: its sums round otherwise
    return [slice(*edges) for edges in pairwise([*starts, len(rows)])]


def _made(rows: Tensor, subtracted: Tensor | None, lengths: Tensor | None) -> Tensor:
    if subtracted is not None:
        return rows - subtracted
    return rows if lengths is None else rows / lengths
