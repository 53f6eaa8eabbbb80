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


@torch.no_grad()
def em(
    sigma: Tensor,
    weight: Tensor,
    prior: Tensor | None = None,
    *,
    start: Tensor | None = None,
    held: Tensor | None = None,
    tolerance: float = 1e-6,
    max_iterations: int = 15,
) -> PseudoLabels:
    """Minimise mean_i H(sigma_i, y_i) + lambda KL(u || ybar) over y by the paper's EM, all members at once.

    One iteration is y <- (sigma + w y) / sum_k (sigma + w y) with w = lambda u / ybar, which is eqs. (45) and
    (46) in one line (N cancels; Algorithm 1). It never increases the objective, and the optimum is unique.
    A member stops at a relative decrease of its objective not above the tolerance, or at the cap; the paper
    does not state its own rule. Stopped members leave the batch, so no member's numbers depend on another's.

    A member with a NaN in sigma gets NaN labels after one iteration; the others do not notice.

    Args:
        sigma: (M, N, K) predictions, rows on the simplex, float32 or float64; below 1e-12 counts as 1e-12.
        weight: (M,) fairness weight lambda >= 0.
        prior: (M, K) target u, rows on the simplex; None is 1/K.
        start: (M, N, K) first y; None is sigma (the paper's warm start).
        held: (M, N) bool, points whose y stays at `start` (labelled points of the semi-supervised mode); they
            count in ybar, and their cross-entropy, a constant, is not part of the reported objective.
        tolerance: relative decrease at which a member stops; -1 runs every member to the cap.
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
    for iteration in range(1, max_iterations + 1):
        decrease = run.step()
        # written so that NaN counts as stopped
        going = decrease > tolerance * run.value.abs()
        if iteration == max_iterations:
            going = torch.zeros_like(going)
        if not bool(going.all()):
            run.retire(~going, decrease, iteration)
            if not run.active.numel():
                break
    return run.answer()


class _Run:
    """Active members of one call, held class-major (M, K, N): for small K all passes run along N."""

    def __init__(
        self, sigma: Tensor, weight: Tensor, prior: Tensor | None, start: Tensor | None, held: Tensor | None
    ) -> None:
        self.sigma = _class_major(sigma)
        self.y = self.sigma if start is None else _class_major(start)
        self.held = None if held is None else held[:, None, :]
        self.weight = weight.to(sigma.dtype)
        self.prior = uniform_prior(sigma) if prior is None else prior.to(sigma.dtype)
        self.active = torch.arange(len(sigma), device=sigma.device)
        self.log_y = self.y.log()
        self.mean = self.y.mean(2)
        self.value = self._objective()
        self.before = self.value
        self.after, self.residual = torch.empty_like(self.value), torch.empty_like(self.value)
        self.iterations = torch.zeros_like(self.active)
        self.y_out, self.log_y_out = torch.empty_like(self.sigma), torch.empty_like(self.sigma)

    def _objective(self) -> Tensor:
        terms = self.sigma * self.log_y
        if self.held is not None:
            terms = terms.masked_fill(self.held, 0.0)
        entropy = -terms.sum((1, 2)).double() / terms.shape[2]
        return entropy + self.weight.double() * forward_kl(self.prior, self.mean)

    def step(self) -> Tensor:
        """One E and M step; returns the decrease of the objective, (active,) float64."""
        pull = (self.weight[:, None] * self.prior / self.mean)[:, :, None]
        y = torch.addcmul(self.sigma, self.y, pull)
        y /= y.sum(1, keepdim=True)
        self.y = y if self.held is None else torch.where(self.held, self.y, y)
        self.log_y = self.y.log()
        self.mean = self.y.mean(2)
        previous, self.value = self.value, self._objective()
        return previous - self.value

    def retire(self, stopped: Tensor, decrease: Tensor, iteration: int) -> None:
        """Write down the members that stopped and go on with the others."""
        rows = self.active[stopped]
        self.y_out[rows], self.log_y_out[rows] = self.y[stopped], self.log_y[stopped]
        self.after[rows], self.iterations[rows] = self.value[stopped], iteration
        self.residual[rows] = decrease[stopped] / self.value[stopped].abs().clamp_min(FLOOR)
        going = ~stopped
        for name in ("active", "sigma", "y", "weight", "prior", "mean", "value"):
            setattr(self, name, getattr(self, name)[going])
        self.held = None if self.held is None else self.held[going]

    def answer(self) -> PseudoLabels:
        return PseudoLabels(
            y=self.y_out.transpose(1, 2).contiguous(),
            log_y=self.log_y_out.transpose(1, 2).contiguous(),
            iterations=self.iterations,
            objective_before=self.before,
            objective_after=self.after,
            residual=self.residual,
        )


def _class_major(rows: Tensor) -> Tensor:
    """(M, N, K) to contiguous (M, K, N), kept off zero."""
    return rows.detach().transpose(1, 2).contiguous().clamp_min(FLOOR)
