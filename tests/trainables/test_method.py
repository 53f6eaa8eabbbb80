from __future__ import annotations

from typing import Any

import torch

from trainables.datasets import gaussians
from trainables.method import InTurn, MethodConfig


class Remembers:
    """A member that keeps the seed it was given."""

    def __init__(self, config: Any, seed: int, data: Any, device: Any) -> None:
        self.seed = seed


class Several(InTurn):
    Config, member = MethodConfig, Remembers  # type: ignore[assignment]


def test_members_trained_in_turn_get_seeds_that_numpy_and_scikit_learn_take() -> None:
    roots = [2**63 - 1, 2**32, 7, 2**32 + 7]
    method = Several([MethodConfig()] * 4, roots, gaussians.load(), torch.device("cpu"))
    seeds = [member.seed for member in method.members]  # type: ignore[attr-defined]
    assert all(0 <= seed < 2**32 for seed in seeds) and len(set(seeds)) == 4
    alone = Several([MethodConfig()], roots[:1], gaussians.load(), torch.device("cpu"))
    assert alone.members[0].seed == seeds[0]  # type: ignore[attr-defined]
