"""Expectation maximisation for the pseudo-labels of entropy clustering (paper 2301.11405, eqs. 45-46)."""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.assignment.pseudo_labels import (
    FLOOR,
    PseudoLabels,
    check_problem,
    forward_kl,
    uniform_prior,
)

LOOK = 5
"""Iterations from one look at the objective to the next: its logarithms cost twice as much as an iteration."""


@torch.no_grad()
def em(
    sigma: Tensor,
    weight: Tensor,
    prior: Tensor | None = None,
    *,
    start: Tensor | tuple[Tensor, Tensor] | None = None,
    held: Tensor | None = None,
    tolerance: float = 1e-6,
    max_iterations: int = 15,
) -> PseudoLabels:
    """Minimise mean_i H(sigma_i, y_i) + lambda KL(u || ybar) over y by the paper's EM, all members at once.

    One iteration is y <- (sigma + w y) / sum_k (sigma + w y) with w = lambda u / ybar, which is eqs. (45) and
    (46) in one line (N cancels; Algorithm 1). It never increases the objective, and the optimum is unique.
    A member stops when its objective fell, relatively and on average over the LOOK iterations since the last look,
    by not more than the tolerance an iteration, or at the cap; the paper does not state its own rule. Stopped
    members leave the batch, so no member's numbers depend on another's.

    A member with a NaN in sigma gets NaN labels and stops at the first look; the others do not notice.

    Args:
        sigma: (M, N, K) predictions, rows on the simplex, float32 or float64; below 1e-12 counts as 1e-12.
        weight: (M,) fairness weight lambda >= 0.
        prior: (M, K) target u, rows on the simplex; None is 1/K.
        start: (M, N, K) first y, or it and its logarithm where the caller has that (it costs two iterations); None
            is sigma (the paper's warm start).
        held: (M, N) bool, points whose y stays at `start` (labelled points of the semi-supervised mode); they
            count in ybar, and their cross-entropy, a constant, is not part of the reported objective.
        tolerance: relative decrease an iteration at which a member stops; -1 runs every member to the cap.
        max_iterations: iteration cap, at least 1.

    Raises:
        ValueError: Shapes or types do not fit, the batch is empty, or `held` comes without `start`.
    """
    check_problem(sigma, weight, prior)
    if max_iterations < 1:
        raise ValueError(f"max_iterations must be at least 1; got {max_iterations}")
    if held is not None and start is None:
        raise ValueError("held points need the labels they are held at: give start")
    run = _Run(sigma, weight, prior, start, held)
    run.iterate(tolerance, max_iterations)
    return run.answer()


class _Run:
    """Active members of one call, held class-major (M, K, N): for small K all passes run along N."""

    def __init__(
        self,
        sigma: Tensor,
        weight: Tensor,
        prior: Tensor | None,
        start: Tensor | tuple[Tensor, Tensor] | None,
        held: Tensor | None,
    ) -> None:
        self.sigma = _class_major(sigma)
        first, logarithm = start if isinstance(start, tuple) else (start, None)
        self.y = self.sigma.clone() if first is None else _class_major(first)
        self.held = None if held is None else held[:, None, :]
        self.weight = weight.to(sigma.dtype)
        self.prior = uniform_prior(sigma) if prior is None else prior.to(sigma.dtype)
        self.active = torch.arange(len(sigma), device=sigma.device)
        self.log_y = self.y.log() if logarithm is None else logarithm.transpose(1, 2)
        self.mean = self.y.mean(2)
        self.value = self._objective()
        self.before = self.value
        self.after, self.residual = torch.empty_like(self.value), torch.empty_like(self.value)
        self.iterations = torch.zeros_like(self.active)
        self.y_out: Tensor | None = None
        self.log_y_out: Tensor | None = None

    def _objective(self) -> Tensor:
        terms = self.sigma * self.log_y
        if self.held is not None:
            terms = terms.masked_fill(self.held, 0.0)
        entropy = -terms.sum((1, 2)).double() / terms.shape[2]
        return entropy + self.weight.double() * forward_kl(self.prior, self.mean)

    def iterate(self, tolerance: float, cap: int) -> None:
        """Take steps, with a look at the objective after every few, until all members have stopped."""
        done = 0
        while self.active.numel():
            steps = min(LOOK, cap - done)
            for _ in range(steps):
                self.step()
            done += steps
            decrease = self.look() / steps
            going = decrease > tolerance * self.value.abs()  # False for NaN, which so counts as stopped
            self.retire(torch.ones_like(going) if done == cap else ~going, decrease, done)

    def step(self) -> None:
        """Take one E and M step, in place but for held points."""
        pull = (self.weight[:, None] * self.prior / self.mean)[:, :, None]
        if self.held is None:
            torch.addcmul(self.sigma, self.y, pull, out=self.y)
            self.y /= self.y.sum(1, keepdim=True)
        else:
            y = torch.addcmul(self.sigma, self.y, pull)
            self.y = torch.where(self.held, self.y, y / y.sum(1, keepdim=True))
        self.mean = self.y.mean(2)

    def look(self) -> Tensor:
        """Return how much the objective fell since the last look, (active,) float64."""
        self.log_y = self.y.log()
        previous, self.value = self.value, self._objective()
        return previous - self.value

    def retire(self, stopped: Tensor, decrease: Tensor, iteration: int) -> None:
        """Write down the members that stopped and go on with the others."""
        rows = stopped.nonzero()[:, 0]
        if not len(rows):
            return
        places = self.active[rows]
        self.after[places], self.iterations[places] = self.value[rows], iteration
        self.residual[places] = decrease[rows] / self.value[rows].abs().clamp_min(FLOOR)
        if len(rows) == len(self.before):  # everybody at once: no copy
            self.y_out, self.log_y_out, self.active = self.y, self.log_y, self.active[:0]
            return
        if self.y_out is None or self.log_y_out is None:
            self.y_out = self.y.new_empty(len(self.before), *self.y.shape[1:])
            self.log_y_out = torch.empty_like(self.y_out)
        self.y_out.index_copy_(0, places, self.y.index_select(0, rows))
        self.log_y_out.index_copy_(0, places, self.log_y.index_select(0, rows))
        going = (~stopped).nonzero()[:, 0]
        for name in ("active", "sigma", "y", "weight", "prior", "mean", "value"):
            setattr(self, name, getattr(self, name).index_select(0, going))
        self.held = None if self.held is None else self.held.index_select(0, going)

    def answer(self) -> PseudoLabels:
        assert self.y_out is not None and self.log_y_out is not None
        return PseudoLabels(
            y=self.y_out.transpose(1, 2),
            log_y=self.log_y_out.transpose(1, 2),
            iterations=self.iterations,
            objective_before=self.before,
            objective_after=self.after,
            residual=self.residual,
        )


def _class_major(rows: Tensor) -> Tensor:
    """Return (M, N, K) as contiguous (M, K, N), kept off zero; a tensor of its own."""
    return rows.detach().transpose(1, 2).clamp_min(FLOOR).contiguous()
