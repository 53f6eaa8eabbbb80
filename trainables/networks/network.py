"""What every network is: stacked parameters and running statistics with a leading axis of members (no layers)."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Self, TypeAlias

import torch
from torch import Tensor

from trainables.precision import autocast
from trainables.randomness import Streams

__all__ = ["Chain", "Init", "Network", "Parts", "fan_in_uniform", "small_normal"]

CHUNK = 1024
"""Inputs per forward pass outside training; fixed, so that a feature's bits never depend on the bundle."""

Init: TypeAlias = Callable[[Streams, tuple[int, ...], int], Tensor]
"""(streams, shape of one member, fan-in) -> initial values (M, *shape)."""


def fan_in_uniform(streams: Streams, shape: tuple[int, ...], fan_in: int) -> Tensor:
    """Return draws from U(-1/sqrt(fan_in), 1/sqrt(fan_in)): torch's own default for linear and convolution layers."""
    return (streams.uniform(*shape) * 2.0 - 1.0) / math.sqrt(max(fan_in, 1))


def small_normal(streams: Streams, shape: tuple[int, ...], fan_in: int) -> Tensor:
    """Return draws from N(0, 0.01^2), as BYOL-type predictors begin; vectors (biases) begin at zero."""
    del fan_in
    return streams.normal(*shape) * (0.01 if len(shape) > 1 else 0.0)


class Network(ABC):
    """M networks of one shape, trained side by side; member m's numbers are those of the same network alone.

    `params` are leaves for `torch.autograd.grad` and for `trainables.heads.optimisers`; read both lists anew at every
    step, since `keep` and `load_state_dict` replace their tensors.
    """

    out_features: int

    def __init__(self) -> None:
        self._params: list[Tensor] = []
        self._buffers: list[Tensor] = []

    @property
    def params(self) -> list[Tensor]:
        """Trained tensors, each (M, ...), in the order of declaration."""
        return self._params

    @property
    def buffers(self) -> list[Tensor]:
        """Running statistics, each (M, ...)."""
        return self._buffers

    @abstractmethod
    def forward(self, x: Tensor, train: bool) -> Tensor:
        """Return outputs (M, B, out_features) of inputs (M, B, ...); `train` uses and records batch statistics."""

    def __call__(self, x: Tensor, train: bool = True) -> Tensor:
        """Return `forward`, computed in the precision of the trial, as float32."""
        with autocast(x.device):
            return self.forward(x, train).float()

    @torch.no_grad()
    def embed(self, inputs: Tensor) -> Tensor:
        """Return outputs (M, N, out_features) of inputs (N, ...) common to all members, in evaluation mode."""
        members = len(self.params[0])
        return torch.cat([self(part.expand(members, *part.shape), False) for part in torch.split(inputs, CHUNK)], 1)

    def copy(self) -> Self:
        """Return a network of its own with equal values that is not trained: the start of an averaged target."""
        twin = copy.copy(self)
        twin._params, twin._buffers = _copies(self._params), _copies(self._buffers)
        return twin

    def beside(self) -> Self:
        """Return the same network, its parameters included, with running statistics of its own to record in."""
        twin = copy.copy(self)
        twin._buffers = _copies(self._buffers)
        return twin

    @torch.no_grad()
    def follow(self, online: Network, momentum: Tensor) -> None:
        """Move every parameter to momentum * own + (1 - momentum) * online's; `momentum` is (M,)."""
        for own, other in zip(self.params, online.params, strict=True):
            own.lerp_(other, (1.0 - momentum).view(-1, *[1] * (own.dim() - 1)))

    def keep(self, members: Sequence[int]) -> None:
        """Drop all other members."""
        index = torch.as_tensor(list(members))
        self._params = [_chosen(tensor, index) for tensor in self._params]
        self._buffers = [_chosen(tensor, index) for tensor in self._buffers]

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of all parameters and running statistics."""
        state = {}
        for kind, tensors in (("param", self.params), ("buffer", self.buffers)):
            for place, tensor in enumerate(_copies(tensors)):
                state[f"{kind}_{place}"] = tensor
        return state

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take up the state of a network of the same shape."""
        with torch.no_grad():
            for place, tensor in enumerate(self.params):
                tensor.copy_(state[f"param_{place}"])
            for place, tensor in enumerate(self.buffers):
                tensor.copy_(state[f"buffer_{place}"])

    def _param(self, values: Tensor) -> None:
        self._params.append(values.requires_grad_())

    def _statistics(self, like: Tensor) -> None:
        """Declare the running mean 0 and variance 1 of a batch norm with channels as in `like` (M, C)."""
        self._buffers += [torch.zeros_like(like), torch.ones_like(like)]


def _chosen(tensor: Tensor, index: Tensor) -> Tensor:
    return tensor.detach()[index.to(tensor.device)].clone().requires_grad_(tensor.requires_grad)


def _copies(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [tensor.detach().clone() for tensor in tensors]


def _params_of(networks: Iterable[Network]) -> list[Tensor]:
    found: list[Tensor] = []
    for network in networks:
        found += network.params
    return found


class Chain(Network):
    """Networks one after another, as one network: an encoder and its projector."""

    def __init__(self, parts: Sequence[Network]) -> None:
        super().__init__()
        self.parts = list(parts)
        self.out_features = self.parts[-1].out_features

    @property
    def params(self) -> list[Tensor]:
        """All parts' parameters in order."""
        return _params_of(self.parts)

    @property
    def buffers(self) -> list[Tensor]:
        """All parts' running statistics in order."""
        found: list[Tensor] = []
        for part in self.parts:
            found += part.buffers
        return found

    def forward(self, x: Tensor, train: bool) -> Tensor:
        """Return the last part's outputs."""
        for part in self.parts:
            x = part.forward(x, train)
        return x

    def copy(self) -> Chain:
        """Return a chain of copies."""
        return Chain([part.copy() for part in self.parts])

    def beside(self) -> Chain:
        """Return a chain of the same networks with statistics of their own."""
        return Chain([part.beside() for part in self.parts])

    def keep(self, members: Sequence[int]) -> None:
        """Drop all other members from every part."""
        for part in self.parts:
            part.keep(members)


class Parts(dict[str, Network]):
    """Networks by name that are trained together: an encoder and its heads, as one part of a method's state."""

    @property
    def params(self) -> list[Tensor]:
        """All networks' parameters, in the order of the names."""
        return _params_of(self.values())

    def keep(self, members: Sequence[int]) -> None:
        """Drop all other members from every network."""
        for part in self.values():
            part.keep(members)

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        """Return every network's state by its name."""
        return {name: part.state_dict() for name, part in self.items()}

    def load_state_dict(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Take up the states of networks of the same names and shapes."""
        for name, part in self.items():
            part.load_state_dict(state[name])
