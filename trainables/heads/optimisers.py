"""Optimisers over stacked parameters and schedules, with a rate and a horizon per member (no networks)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["Adam", "Sgd", "constant", "cosine", "late_warmup_cosine", "warmup_cosine"]

# torch.optim refuses a vector of learning rates and loads 160 MB on first use; hence our own few lines.


def _along(rate: Tensor, parameter: Tensor) -> Tensor:
    """Return `rate` (M,) shaped so that it multiplies `parameter` (M, ...)."""
    return rate.view(-1, *[1] * (parameter.dim() - 1))


def _vector(value: Tensor | float, like: Tensor) -> Tensor:
    """Return `value` as a float vector (M,) beside the rate vector `like`."""
    return torch.as_tensor(value, dtype=like.dtype, device=like.device).expand_as(like).clone()


class _Optimiser:
    """What Sgd and Adam share: rates (M,), slots (lists of tensors like the parameters), a step count.

    The slots come into being at the first step. Rates are no state, they follow from the configs. A weight
    decay given as the number 0 is no part of the program at all; a vector is, whatever it holds.
    """

    slots: tuple[str, ...] = ()

    def __init__(self, lr: Tensor, weight_decay: Tensor | float) -> None:
        self.lr = lr.detach().clone().float()
        self.weight_decay = _vector(weight_decay, self.lr)
        self.decays = isinstance(weight_decay, Tensor) or weight_decay != 0.0
        self.n_steps = 0
        self.buffers: dict[str, list[Tensor]] = {slot: [] for slot in self.slots}

    def _begin(self, params: Sequence[Tensor]) -> None:
        """Count the step and create the slots of a first one."""
        self.n_steps += 1
        for slot, tensors in self.buffers.items():
            if not tensors:
                self.buffers[slot] = [torch.zeros_like(parameter, requires_grad=False) for parameter in params]

    def _decayed(self, parameter: Tensor, grad: Tensor) -> Tensor:
        """Return the gradient of loss + weight_decay / 2 * ||parameter||^2."""
        if not self.decays:
            return grad
        return torch.addcmul(grad, parameter, _along(self.weight_decay, parameter))

    def keep(self, members: Sequence[int]) -> None:
        """Drop all other members."""
        index = torch.as_tensor(list(members), device=self.lr.device)
        self.lr, self.weight_decay = self.lr[index], self.weight_decay[index]
        for slot, tensors in self.buffers.items():
            self.buffers[slot] = [tensor[index] for tensor in tensors]

    def state_dict(self) -> dict[str, Tensor]:
        """Return the step count and every slot, as copies."""
        state = {"n_steps": torch.tensor(self.n_steps)}
        for slot, tensors in self.buffers.items():
            for place, tensor in enumerate(tensors):
                state[f"{slot}_{place}"] = tensor.clone()
        return state

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take up the state of an optimiser built with the same rates."""
        self.n_steps = int(state["n_steps"])
        for slot in self.slots:
            held: list[Tensor] = []
            while f"{slot}_{len(held)}" in state:
                held.append(state[f"{slot}_{len(held)}"].to(self.lr.device).clone())
            self.buffers[slot] = held


class Sgd(_Optimiser):
    """Gradient descent with heavy-ball or Nesterov momentum, as `torch.optim.SGD` (dampening 0).

    Args:
        lr: (M,) learning rates.
        momentum: one for all members, or (M,); the number 0 is plain descent, without a buffer.
        nesterov: look ahead along the momentum.
        weight_decay: one for all members, or (M,); coefficient of the parameter in its gradient.
    """

    slots = ("momentum",)

    def __init__(
        self,
        lr: Tensor,
        *,
        momentum: Tensor | float = 0.0,
        nesterov: bool = False,
        weight_decay: Tensor | float = 0.0,
    ) -> None:
        super().__init__(lr, weight_decay)
        self.momentum, self.nesterov = _vector(momentum, self.lr), nesterov
        self.remembers = isinstance(momentum, Tensor) or momentum != 0.0

    @torch.no_grad()
    def step(self, params: Sequence[Tensor], grads: Sequence[Tensor], lr_scale: Tensor | float = 1.0) -> None:
        """Move `params` (each (M, ...), in place) against `grads`; `lr_scale`: a factor, (M,) or one."""
        self._begin(params if self.remembers else ())
        rate = self.lr * lr_scale
        for place, (parameter, raw) in enumerate(zip(params, grads, strict=True)):
            direction = self._decayed(parameter, raw)
            if self.remembers:
                direction = self._remembered(direction, self.buffers["momentum"][place])
            parameter.addcmul_(direction, _along(rate, parameter), value=-1.0)

    def _remembered(self, grad: Tensor, buffer: Tensor) -> Tensor:
        """Take `grad` into its momentum buffer and return the direction to step against."""
        momentum = _along(self.momentum, grad)
        buffer.mul_(momentum).add_(grad)
        return torch.addcmul(grad, buffer, momentum) if self.nesterov else buffer

    def keep(self, members: Sequence[int]) -> None:
        """Drop all other members."""
        super().keep(members)
        self.momentum = self.momentum[torch.as_tensor(list(members), device=self.lr.device)]


class Adam(_Optimiser):
    """Adam (Kingma and Ba 2015, Algorithm 1), as `torch.optim.Adam`; with `decoupled` AdamW.

    Args:
        lr: (M,) learning rates.
        betas: decay of the first and of the second moment.
        epsilon: added to the root of the second moment.
        weight_decay: one for all members, or (M,).
        decoupled: shrink the parameters directly (Loshchilov and Hutter 2019), not through the gradient.
    """

    slots = ("mean", "square")

    def __init__(
        self,
        lr: Tensor,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: Tensor | float = 0.0,
        decoupled: bool = False,
    ) -> None:
        super().__init__(lr, weight_decay)
        self.betas, self.epsilon, self.decoupled = betas, epsilon, decoupled

    @torch.no_grad()
    def step(self, params: Sequence[Tensor], grads: Sequence[Tensor], lr_scale: Tensor | float = 1.0) -> None:
        """Move `params` (each (M, ...), in place) against `grads`; `lr_scale`: a factor, (M,) or one."""
        self._begin(params)
        rate, (first, second) = self.lr * lr_scale, self.betas
        scaled_rate = rate / (1.0 - first**self.n_steps)
        root_correction = math.sqrt(1.0 - second**self.n_steps)
        for parameter, raw, mean, square in zip(
            params, grads, self.buffers["mean"], self.buffers["square"], strict=True
        ):
            if self.decoupled:
                parameter.mul_(1.0 - _along(rate * self.weight_decay, parameter))
            grad = raw if self.decoupled else self._decayed(parameter, raw)
            mean.lerp_(grad, 1.0 - first)
            square.mul_(second).addcmul_(grad, grad, value=1.0 - second)
            direction = mean / (square.sqrt().div_(root_correction).add_(self.epsilon))
            parameter.addcmul_(direction, _along(scaled_rate, parameter), value=-1.0)


def constant(step: int, horizon: Tensor) -> Tensor:
    """Return the factor 1 for each member; `horizon` (M,) is taken so that schedules are interchangeable."""
    del step
    return torch.ones_like(horizon, dtype=torch.float32)


def cosine(step: int, horizon: Tensor, floor: float = 0.0) -> Tensor:
    """Return (1 + cos(pi * step / horizon)) / 2 of each member, scaled to end at `floor`.

    Args:
        step: steps (or epochs) done so far, from 0; past the horizon the factor stays at `floor`.
        horizon: (M,) length of each member's schedule, in the unit of `step`.
        floor: last factor.
    """
    return warmup_cosine(step, horizon, torch.zeros_like(horizon), floor)


def warmup_cosine(step: int, horizon: Tensor, warmup: Tensor, floor: float = 0.0) -> Tensor:
    """Return the factor of a linear rise over `warmup` steps, then a cosine down to `floor` at `horizon`.

    Args:
        step: steps (or epochs) done so far, from 0; the first factor of a warm-up is 1 / warmup, not 0.
        horizon: (M,) length of the whole schedule.
        warmup: (M,) length of the rise; 0: none.
        floor: last factor.
    """
    factors = []
    for length, rise in zip(horizon.tolist(), warmup.tolist(), strict=True):
        factors.append(_warmup_cosine(step, float(length), float(rise), floor))
    return torch.tensor(factors, dtype=torch.float32, device=horizon.device)


def late_warmup_cosine(step: int, horizon: Tensor, warmup: Tensor) -> Tensor:
    """Return `warmup_cosine` whose rise is a step behind: max(1, step) / warmup, so the first two steps are equal."""
    rising = warmup_cosine(max(step - 1, 0), horizon, warmup)
    return torch.where(step < warmup, rising, warmup_cosine(step, horizon, warmup))


def _warmup_cosine(step: int, horizon: float, warmup: float, floor: float) -> float:
    if step < warmup:
        return (step + 1) / warmup if step + 1 < warmup else 1.0
    share = min(1.0, (step - warmup) / max(horizon - warmup, 1e-12))
    return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * share))
