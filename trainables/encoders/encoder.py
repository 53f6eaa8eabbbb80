"""What a frozen encoder is: a network with published weights, and how images have to be given to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from torch import Tensor
from torch.nn import Module

__all__ = ["Encoder", "Load"]

Load: TypeAlias = Callable[[], tuple[Module, Callable[[Tensor], Tensor]]]
"""() -> network, and what turns images (n, 3, side, side) into features (n, width); DataError where it is absent."""


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """A frozen encoder. Its weights are loaded only when features have to be computed."""

    name: str
    weights: str
    """File name of the published weights, with their digest: part of every key."""
    width: int
    side: int
    """Side to which images are scaled, unless a reference says otherwise."""
    mean: tuple[float, float, float]
    """Subtracted from pixels in [0, 1], by colour."""
    std: tuple[float, float, float]
    """Divides them then."""
    load: Load
