"""The global random streams of a process: torch's, NumPy's and Python's.

Whoever writes a method for one member may draw from them as in any script: `InTurn` gives each member streams of its
own, seeded by the member's seed, and takes them away again after every call. Members of a fused method share every
call, so that a global draw would be everybody's: it is found and refused.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from orchestrator.errors import RequestError
from trainables.randomness import stream_seed

__all__ = ["GlobalStreams", "untouched"]

_twister: Any = np.random
"""NumPy does not list what exchanges its global generator, though it documents it."""


class GlobalStreams:
    """The global streams of one member, in place within `own` and nowhere else.

    Args:
        seed: of the member.
        device: a card has a stream of its own.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        self._seed = stream_seed(seed, "numpy's global stream")
        self._numpy = np.random.MT19937(self._seed)
        self._torch = torch.Generator().manual_seed(stream_seed(seed, "torch's global stream")).get_state()
        self._python: Any = random.Random(stream_seed(seed, "Python's global stream")).getstate()
        self._card: Tensor | None = None
        if device.type == "cuda":
            generator = torch.Generator(device).manual_seed(stream_seed(seed, "a card's global stream"))
            self._card = generator.get_state()

    @contextmanager
    def own(self, *, evaluating: bool = False) -> Iterator[None]:
        """Have draws from global streams come from this member's within the block; those of others stay as they are.

        Args:
            evaluating: draws are then not counted: how often a member is evaluated changes nothing of its training.
        """
        numpys, torchs, pythons = _twister.get_bit_generator(), torch.get_rng_state(), random.getstate()
        cards = torch.cuda.get_rng_state(self.device) if self._card is not None else None
        _twister.set_bit_generator(np.random.MT19937(self._seed) if evaluating else self._numpy)
        torch.default_generator.set_state(self._torch)
        random.setstate(self._python)
        if self._card is not None:
            torch.cuda.set_rng_state(self._card, self.device)
        try:
            yield
        finally:
            if not evaluating:
                self._take()
            _twister.set_bit_generator(numpys)
            torch.default_generator.set_state(torchs)
            random.setstate(pythons)
            if cards is not None:
                torch.cuda.set_rng_state(cards, self.device)

    def _take(self) -> None:
        self._torch, self._python = torch.get_rng_state(), random.getstate()
        if self._card is not None:
            self._card = torch.cuda.get_rng_state(self.device)

    def state_dict(self) -> dict[str, Tensor]:
        """Return where the streams stand."""
        twister = self._numpy.state["state"]
        _, words, gauss = self._python
        state = {
            "torch": self._torch.clone(),
            "numpy": torch.tensor([*map(int, twister["key"]), int(twister["pos"])]),
            "python": torch.tensor(words),
            "gauss": torch.tensor(math.nan if gauss is None else gauss, dtype=torch.float64),
        }
        return state if self._card is None else state | {"card": self._card.clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take up a state of `state_dict`."""
        *key, place = state["numpy"].tolist()
        self._numpy.state = {
            "bit_generator": "MT19937",
            "state": {"key": np.array(key, dtype=np.uint32), "pos": place},
        }
        gauss = float(state["gauss"])
        self._python = (3, tuple(state["python"].tolist()), None if math.isnan(gauss) else gauss)
        self._torch = state["torch"].clone()
        if self._card is not None:
            self._card = state["card"].cpu().clone()


@contextmanager
def untouched(method: str) -> Iterator[None]:
    """Refuse draws from global streams within the block.

    Python's own stream is looked at where no other thread runs: whose draw it was cannot be told else, and libraries
    draw from it for names of files and the like.

    Raises:
        RequestError: names the stream; a fused method draws from `trainables.randomness.Streams`.
    """
    before = _states()
    yield
    after = _states()
    drawn = [name for name in before if name in after and not _same(before[name], after[name])]
    if drawn:
        raise RequestError(
            f"method {method!r} draws from the global random stream of {' and '.join(drawn)}, which its members share; "
            "use trainables.randomness.Streams, or write it for one member behind InTurn"
        )


def _states() -> dict[str, Any]:
    alone = threading.active_count() == 1
    states = {"torch": torch.get_rng_state(), "numpy": np.random.get_state()}
    return states | {"Python": random.getstate()} if alone else states


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    return all(np.array_equal(part, beside) for part, beside in zip(one, other, strict=True))
