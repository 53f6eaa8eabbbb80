"""The one place that says in which number format forward passes are computed: torch.autocast around them, or nothing.

Parameters, losses, pseudo-labels, solvers and metrics are float32 at every precision: whoever asks for an output gets
float32, and gradients come back as the forward pass went.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

import torch
from torch import Tensor

__all__ = ["autocast", "computing", "lowered"]

FORWARD = {"float32": torch.float32, "tf32": torch.float32, "bfloat16": torch.bfloat16}
"""Precision of a trial -> format of its forward passes; TF32 is how a GPU multiplies float32 (see `numerics`)."""

_forward: ContextVar[torch.dtype] = ContextVar("_forward", default=torch.float32)


@contextmanager
def computing(precision: str) -> Iterator[None]:
    """Compute forward passes within the block in the format of a trial's precision."""
    token = _forward.set(FORWARD[precision])
    try:
        yield
    finally:
        _forward.reset(token)


def autocast(device: torch.device) -> AbstractContextManager[object]:
    """Return the context of one forward pass of a network; nothing at all in float32, whose bits it shall not touch."""
    dtype = _forward.get()
    return nullcontext() if dtype is torch.float32 else torch.autocast(device.type, dtype)


def lowered(tensor: Tensor) -> Tensor:
    """Return a factor of a forward product written by hand in the format of forward passes; float32 as it is."""
    return tensor.to(_forward.get())
