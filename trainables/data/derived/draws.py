"""The fixed streams from which options of a dataset draw: a reference always means the same points."""

from __future__ import annotations

import torch

from trainables.randomness import stream_seed

__all__ = ["generator_of"]


def generator_of(purpose: str) -> torch.Generator:
    """Return a new generator at the start of the stream of one purpose."""
    return torch.Generator().manual_seed(stream_seed(0, f"wrapper.{purpose}"))
