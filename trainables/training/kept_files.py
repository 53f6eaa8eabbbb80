"""What a user keeps of a trial that is complete: its state, the clusters of the scored points, what it learned of them.

Nothing that trains is touched: partitions are seen where they are scored, and the state of one member of several is
taken from a copy of the method.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from safetensors.torch import save
from torch import Tensor

from orchestrator.metric import Cost, Metric, also_computed
from trainables.adapters.alone import Alone, as_npy
from trainables.data.dataset import Dataset
from trainables.method import InTurn, Method, State
from trainables.partitions.scored import Scored
from trainables.training.checkpoints import flattened

__all__ = ["Seen", "content_of", "own_state", "watching"]

NAME = "_kept"
"""Under which the partitions are looked at; no column has it."""


@dataclass
class Seen:
    """Partitions and features in the order in which they were scored, all members of a call together."""

    partitions: list[np.ndarray[Any, Any]] = field(default_factory=list)
    """Each (m, N)."""
    features: list[Tensor | None] = field(default_factory=list)
    """Each (m, P, d)."""

    def look(self, scored: Scored) -> None:
        """Take what is scored; as a metric it gives no number."""
        self.partitions.append(scored.hard)
        self.features.append(scored.features)

    def forget(self) -> None:
        """Forget what was scored before."""
        self.partitions.clear()
        self.features.clear()

    def of(self, place: int, n_members: int) -> tuple[np.ndarray[Any, Any] | None, np.ndarray[Any, Any] | None]:
        """Return a member's clusters (N,) and features (N, d) of its last evaluation; None where there are none.

        Args:
            place: of the member among those that were evaluated.
            n_members: how many were; methods that score something else besides cannot be told apart.
        """
        if sum(map(len, self.partitions)) != n_members:
            return None, None
        for hard, features in zip(self.partitions, self.features, strict=True):
            if place < len(hard):
                there = features is not None and len(features) == len(hard) and features.shape[1] == hard.shape[1]
                learned = features[place].detach().cpu().float().numpy() if there and features is not None else None
                return hard[place], learned
            place -= len(hard)
        return None, None


@contextmanager
def watching(*, alone: bool = False) -> Iterator[Seen]:
    """Watch what is scored at last evaluations within the block; `alone`: nothing else is computed of it."""
    seen = Seen()
    with also_computed(NAME, Metric(written=NAME, compute=seen.look, cost=Cost.LAST), alone=alone):
        yield seen


def content_of(method: Method, data: Dataset, place: int, n_members: int, seen: Seen) -> dict[str, bytes]:
    """Return the files of one member that has had its last evaluation: `weights`, `assignments`, `embeddings`.

    Args:
        method: that trained it, with all members that were evaluated.
        data: what it was trained on.
        place: of the member.
        n_members: how many were evaluated.
        seen: what was scored at that evaluation.
    """
    found = {}
    if not isinstance(method, Alone):
        found["weights"] = _file(own_state(method, data, place, n_members))
    clusters, learned = seen.of(place, n_members)
    if clusters is not None:
        found["assignments"] = as_npy(np.asarray(clusters, dtype=np.int32))
    if learned is not None:
        found["embeddings"] = as_npy(learned.reshape(len(learned), -1))
    return {**found, **method.kept_files()} if isinstance(method, Alone) else found


def own_state(method: Method, data: Dataset, place: int, n_members: int) -> State:
    """Return the state of one member, as the method has it of that member alone; the method stays as it is.

    Where the global streams of a member stand, which takes turns, is no part of what it learned.
    """
    if isinstance(method, InTurn):
        return {"0": {"member": method.state_dict()[str(place)]["member"]}}
    if n_members == 1:
        return method.state_dict()
    alone = copy.deepcopy(method, {id(data): data})
    alone.keep([place])
    return alone.state_dict()


def _file(state: State) -> bytes:
    content: bytes = save(dict(flattened(state)))
    return content
