"""Mirror descent (exponentiated gradient) for the pseudo-labels of entropy clustering: a first-order rival of EM."""

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
def mirror_descent(
    sigma: Tensor,
    weight: Tensor,
    prior: Tensor | None = None,
    *,
    tolerance: float = 1e-6,
    max_iterations: int = 200,
) -> PseudoLabels:
    """Minimise mean_i H(sigma_i, y_i) + lambda KL(u || ybar) over y by mirror descent, all members at once.

    ln y <- ln y + eta (sigma / y + lambda u / ybar) - normaliser, the step of the entropy mirror map. Each member
    has its own eta: a trial step that does not lower the objective by a tenth of what its slope promises is
    refused and eta halved, an accepted one raises eta by half. The objective never increases.

    Args:
        sigma: (M, N, K) predictions, rows on the simplex; entries below 1e-12 count as 1e-12.
        weight: (M,) fairness weight lambda >= 0.
        prior: (M, K) target u, rows on the simplex; None is 1/K.
        tolerance: relative decrease of the objective at an accepted step at which a member stops; -1 runs to
            the cap.
        max_iterations: cap on trial steps, accepted or not.

    Returns:
        PseudoLabels; `residual` is the last relative decrease. A member with NaN in sigma gets NaN.

    Raises:
        ValueError: Shapes or types do not fit, the batch is empty, or the cap is below 1.
    """
    check_problem(sigma, weight, prior)
    if max_iterations < 1:
        raise ValueError(f"max_iterations must be at least 1; got {max_iterations}")
    run = _Run(sigma, weight, uniform_prior(sigma) if prior is None else prior)
    for iteration in range(1, max_iterations + 1):
        going = run.step(tolerance)
        if iteration == max_iterations:
            going = torch.zeros_like(going)
        if not bool(going.all()):
            run.retire(~going, iteration)
            if not run.active.numel():
                break
    log_y = run.log_y_out.transpose(1, 2).contiguous()
    return PseudoLabels(
        y=log_y.exp(),
        log_y=log_y,
        iterations=run.iterations,
        objective_before=run.before,
        objective_after=run.after,
        residual=run.residual,
    )


class _Run:
    """Active members of one call, class-major (M, K, N)."""

    def __init__(self, sigma: Tensor, weight: Tensor, prior: Tensor) -> None:
        self.sigma = sigma.detach().transpose(1, 2).contiguous().clamp_min(FLOOR)
        self.weight, self.prior = weight.to(sigma.dtype), prior.to(sigma.dtype)
        self.active = torch.arange(len(sigma), device=sigma.device)
        self.log_y = self.sigma.log()
        self.eta = 1.0 / (1.0 + self.weight)
        self.value, self.mean = self._objective(self.log_y)
        self.before = self.value
        self.after, self.residual = torch.empty_like(self.value), torch.empty_like(self.value)
        self.decrease = torch.full_like(self.value, torch.inf)
        self.iterations = torch.zeros_like(self.active)
        self.log_y_out = torch.empty_like(self.sigma)

    def _objective(self, log_y: Tensor) -> tuple[Tensor, Tensor]:
        mean = log_y.exp().mean(2)
        entropy = -(self.sigma * log_y).sum((1, 2)).double() / log_y.shape[2]
        return entropy + self.weight.double() * forward_kl(self.prior, mean), mean

    def step(self, tolerance: float) -> Tensor:
        """Try a step; return which members go on, (active,) bool."""
        y = self.log_y.exp()
        ascent = self.sigma / y + (self.weight[:, None] * self.prior / self.mean)[:, :, None]
        trial = torch.log_softmax(self.log_y + self.eta[:, None, None] * ascent, 1)
        promised = (ascent * (trial.exp() - y)).sum((1, 2)).double() / y.shape[2]
        value, mean = self._objective(trial)
        decrease = self.value - value
        accepted = decrease >= 0.1 * promised
        spoilt = self.value.isnan()
        going = spoilt.logical_not() & (~accepted | (decrease > tolerance * value.abs()))
        # below this eta the objective is flat to rounding: nothing is left to gain
        going &= accepted | (self.eta > 1e-12)
        self.decrease = torch.where(accepted, decrease / value.abs().clamp_min(FLOOR), self.decrease)
        self.log_y = torch.where(accepted[:, None, None], trial, self.log_y)
        self.mean = torch.where(accepted[:, None], mean, self.mean)
        self.value = torch.where(accepted, value, self.value)
        self.eta = self.eta * torch.where(accepted, 1.5, 0.5).to(self.eta.dtype)
        return going

    def retire(self, stopped: Tensor, iteration: int) -> None:
        """Write down the members that stopped and go on with the others."""
        rows = self.active[stopped]
        self.log_y_out[rows], self.after[rows] = self.log_y[stopped], self.value[stopped]
        self.residual[rows], self.iterations[rows] = self.decrease[stopped], iteration
        going = ~stopped
        for name in ("active", "sigma", "weight", "prior", "log_y", "eta", "value", "mean", "decrease"):
            setattr(self, name, getattr(self, name)[going])
