"""Seeded random streams, one per (member's root seed, purpose); no global generator is ever touched."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["Streams", "stream_seed"]


def stream_seed(root_seed: int, purpose: str) -> int:
    """Return the 32-bit seed of the stream `purpose`; torch's CPU generators use no more than 32 bits of a seed."""
    return int.from_bytes(hashlib.blake2b(f"{root_seed}/{purpose}".encode(), digest_size=4).digest(), "big")


class Streams:
    """One generator per member for one purpose. A member's numbers never depend on the bundle it is in.

    Draws fill contiguous rows of an (M, ...) block member by member: `normal_` into a strided row, or one draw for
    all members, would give other numbers than the same trial alone. Draw blocks of fixed size, never of a
    data-dependent one: randn(15) is no prefix of randn(16). Draws are float32 on the CPU, then moved to `device`.
    """

    def __init__(self, seeds: Sequence[int], purpose: str, device: torch.device | str = "cpu") -> None:
        self.purpose = purpose
        self.device = torch.device(device)
        self.generators = [torch.Generator().manual_seed(stream_seed(seed, purpose)) for seed in seeds]

    def __len__(self) -> int:
        return len(self.generators)

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal draws of shape (M, *shape)."""
        out = torch.empty(len(self), *shape)
        for row, generator in zip(out, self.generators, strict=True):
            row.normal_(generator=generator)
        return out.to(self.device)

    def uniform(self, *shape: int) -> Tensor:
        """Return draws from [0, 1) of shape (M, *shape)."""
        out = torch.empty(len(self), *shape)
        for row, generator in zip(out, self.generators, strict=True):
            row.uniform_(generator=generator)
        return out.to(self.device)

    def permutation(self, n: int) -> Tensor:
        """Return a permutation of 0..n-1 for each member, shape (M, n), int64."""
        return torch.stack([torch.randperm(n, generator=generator) for generator in self.generators]).to(self.device)

    def keep(self, members: Sequence[int]) -> None:
        """Drop the streams of all other members."""
        self.generators = [self.generators[member] for member in members]

    def of(self, members: Sequence[int]) -> Streams:
        """Return the streams of some members: the same generators, so what is drawn there is drawn here too."""
        some = copy.copy(self)
        some.keep(members)
        return some

    def state_dict(self) -> dict[str, Tensor]:
        """Return the states, stacked: (M, bytes) uint8."""
        return {"generators": torch.stack([generator.get_state() for generator in self.generators])}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take up the states of `state_dict`."""
        for generator, row in zip(self.generators, state["generators"], strict=True):
            generator.set_state(row.clone())  # torch reads from the start of the storage, not of the row
