"""Structured Newton for the pseudo-labels of entropy clustering: K x K systems and a certified gap; not the dense one.

Derivation (own). With prices s (K) of the classes and t (N) of the rows, the optimum of

    mean_i H(sigma_i, y_i) + lambda fairness(u, ybar)        over rows y_i of the simplex

is the solution of y_ik z_ik = sigma_ik with z_ik = t_i - s_k > 0, sum_k y_ik = 1 and ybar = q(s), where
q(s) = lambda u / s for KL(u || ybar) (then t_i is the paper's multiplier m_i) and q(s) = softmax(ln u - s / lambda)
for KL(ybar || u). Newton's method on these equations keeps y and z apart, as interior-point methods do; rows are
eliminated one by one, which leaves one positive definite K x K system a step:

    H = diag(mean_i A_i) - mean_i A_i A_i^T / sum_k A_ik - q'(s),        A = y / z

Damping: steps end 1 % before the boundary, and entries of sigma below a level mu, lowered tenfold after every
nearly full step, count as mu until mu is below them: far entries cannot block the others. For any z > 0 the rows
sigma / z, normalised, are a feasible y and (s, t) is a feasible dual point, so the duality gap is known at each
step, at the price of a K-vector, and is the stopping rule.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from trainables.assignment.pseudo_labels import FAIRNESS, FLOOR, Fairness, PseudoLabels, check_problem, uniform_prior

_REACH = 0.99  # share of the way to the boundary that a step may go
_FULL = 0.9  # a step this long lowers mu
_LOWER = 0.1  # by this factor
_LEVEL = 0.1  # first mu, in units of 1/K


@torch.no_grad()
def newton(
    sigma: Tensor,
    weight: Tensor,
    prior: Tensor | None = None,
    *,
    fairness: str = "forward",
    tolerance: float = 1e-6,
    max_iterations: int = 60,
) -> PseudoLabels:
    """Minimise mean_i H(sigma_i, y_i) + lambda fairness(u, ybar) over y by structured Newton, all members at once.

    Two to ten iterations for predictions of a network in training; up to thirty where nearly one-hot predictions
    must be moved between classes. Stopped members leave the batch, so no member's numbers depend on another's.
    Works in float64 whatever the dtype of sigma: t - s would lose all digits of a small sigma in float32.

    Args:
        sigma: (M, N, K) predictions, rows on the simplex; entries below 1e-12 count as 1e-12.
        weight: (M,) fairness weight lambda >= 0.
        prior: (M, K) target u, rows on the simplex; None is 1/K.
        fairness: `forward`, KL(u || ybar) (paper 2301.11405, eq. 42), or `reverse`, KL(ybar || u); -H(ybar) is
            `reverse` with prior None, up to the constant ln K.
        tolerance: duality gap, in nats, at which a member stops: a bound on the distance to the optimum.
        max_iterations: cap on Newton steps.

    Returns:
        PseudoLabels in sigma's dtype; `residual` is the duality gap, NaN for a member with NaN in sigma.

    Raises:
        ValueError: Shapes or types do not fit, the batch is empty, or fairness is none of the two.
    """
    check_problem(sigma, weight, prior)
    if fairness not in _TERMS:
        raise ValueError(f"fairness must be one of {sorted(_TERMS)}; got {fairness!r}")
    u = uniform_prior(sigma) if prior is None else prior
    run = _Run(sigma, _TERMS[fairness](weight.double(), u.double()))
    for iteration in range(max_iterations + 1):
        gap = run.measure()
        going = (gap > tolerance) & gap.isfinite()
        if iteration == max_iterations:
            going = torch.zeros_like(going)
        if not bool(going.all()):
            run.retire(~going, iteration)
            if not run.active.numel():
                break
        run.step()
    return run.answer(sigma.dtype, weight.double(), u.double(), FAIRNESS[fairness])


class _Term(Protocol):
    """A fairness term seen from its prices; float64, leading axis M."""

    def start(self, mean: Tensor) -> Tensor: ...
    def target(self, s: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]: ...
    def certificate(self, s: Tensor, mean: Tensor) -> Tensor: ...
    def room(self, s: Tensor, ds: Tensor) -> Tensor: ...
    def keep(self, members: Tensor) -> None: ...


class _Forward:
    """lambda KL(u || ybar); prices are held less lambda, else t - s would cancel digits."""

    def __init__(self, weight: Tensor, prior: Tensor) -> None:
        self.mass = (weight[:, None] * prior).clamp_min(FLOOR)
        self.weight = self.mass.sum(1, keepdim=True)

    def start(self, mean: Tensor) -> Tensor:
        # sbar + lambda u = mean_i m_i y_i and mean_i m_i = 1 + lambda give the first guess of ybar, hence of s
        return (self.mass - self.weight * mean) / (mean + self.mass)

    def target(self, s: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
        price = s + self.weight
        return self.mass / price, torch.diag_embed(mean / price)

    def certificate(self, s: Tensor, mean: Tensor) -> Tensor:
        return torch.xlogy(self.mass, self.mass / ((s + self.weight) * mean)).sum(1)

    def room(self, s: Tensor, ds: Tensor) -> Tensor:
        return (-ds / (s + self.weight)).amax(1)

    def keep(self, members: Tensor) -> None:
        self.mass, self.weight = self.mass[members], self.weight[members]


class _Reverse:
    """lambda KL(ybar || u); nothing changes when a constant is added to all prices, hence the ones in target."""

    def __init__(self, weight: Tensor, prior: Tensor) -> None:
        self.weight = weight[:, None].clamp_min(1e-9)
        self.prior = prior.clamp_min(FLOOR)

    def start(self, mean: Tensor) -> Tensor:
        return self.weight * (self.prior * (1 + self.weight) / (mean + self.weight * self.prior)).log()

    def target(self, s: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
        q = torch.softmax(self.prior.log() - s / self.weight, 1)
        spread = torch.diag_embed(q) - q[:, :, None] * q[:, None, :]
        return q, spread / self.weight[:, :, None] + 1.0

    def certificate(self, s: Tensor, mean: Tensor) -> Tensor:
        divergence = (torch.xlogy(mean, mean) - torch.xlogy(mean, self.prior)).sum(1)
        return self.weight[:, 0] * (divergence + torch.logsumexp(self.prior.log() - s / self.weight, 1))

    def room(self, s: Tensor, ds: Tensor) -> Tensor:
        return torch.zeros_like(s[:, 0])

    def keep(self, members: Tensor) -> None:
        self.weight, self.prior = self.weight[members], self.prior[members]


_TERMS: dict[str, type[_Forward] | type[_Reverse]] = {"forward": _Forward, "reverse": _Reverse}


class _Run:
    """Active members of one call, class-major (M, K, N): for small K all passes run along N."""

    def __init__(self, sigma: Tensor, term: _Term) -> None:
        self.all = sigma.detach().transpose(1, 2).to(torch.float64, memory_format=torch.contiguous_format, copy=True)
        self.all.clamp_min_(FLOOR)
        self.all /= self.all.sum(1, keepdim=True)
        self.sigma = self.all
        members, classes, points = self.sigma.shape
        self.term = term
        self.active = torch.arange(members, device=sigma.device)
        self.mu = self.sigma.new_full((members, 1, 1), _LEVEL / classes)
        level = torch.maximum(self.sigma, self.mu)
        level /= level.sum(1, keepdim=True)
        self.s = term.start(level.mean(2))
        self.t = self.sigma.new_ones(members, points)
        self.z = self._differences(self.t, self.s)
        self.y = level / self.z
        self.y /= self.y.sum(1, keepdim=True)
        self.iterations = torch.zeros_like(self.active)
        self.residual = self.s.new_empty(members)
        self.y_out = torch.empty_like(self.sigma)

    @staticmethod
    def _differences(rows: Tensor, classes: Tensor) -> Tensor:
        """Return rows_i - classes_k as (M, K, N)."""
        return rows[:, None, :] - classes[:, :, None]

    def measure(self) -> Tensor:
        """Return the duality gap of sigma / z with its rows normalised against (s, t), (active,)."""
        ratio = self.sigma / self.z
        rows = ratio.sum(1)
        # not a matrix-vector product: its bits change with the number of members
        mean = ratio.div_(rows[:, None, :]).mean(2)
        self.gap = rows.log().mean(1) + (self.t - 1).mean(1) + self.term.certificate(self.s, mean)
        return self.gap

    def step(self) -> None:
        """Take a damped Newton step towards y z = max(sigma, mu)."""
        points = self.y.shape[2]
        wanted = torch.maximum(self.sigma, self.mu).div_(self.z)
        curve = self.y / self.z
        total = curve.sum(1)
        excess = (wanted.sum(1) - 1) / total
        q, spread = self.term.target(self.s, self.y.mean(2))
        scaled = curve / total.sqrt()[:, None, :]
        system = torch.diag_embed(curve.mean(2)) - torch.bmm(scaled, scaled.transpose(1, 2)) / points
        pull = torch.addcmul(wanted, curve, excess[:, None, :], value=-1).mean(2)
        ds = torch.linalg.solve_ex(system + spread, q - pull)[0]
        dt = torch.bmm(ds[:, None, :], curve)[:, 0] / total + excess
        dz = self._differences(dt, ds)
        dy = torch.addcmul(wanted.sub_(self.y), curve, dz, value=-1)
        length = self._length(dy, dz, ds)
        self.y = torch.addcmul(self.y, dy, length[:, None, None])
        self.s = self.s + length[:, None] * ds
        self.t = self.t + length[:, None] * dt
        self.z = self._differences(self.t, self.s)
        full, half = length > _FULL, length > 0.3
        self.mu = self.mu * torch.where(full, _LOWER, torch.where(half, 0.4, 1.0))[:, None, None]

    def _length(self, dy: Tensor, dz: Tensor, ds: Tensor) -> Tensor:
        """Return the longest step, at most 1, that ends 1 % before the first of y, z and the prices reaches zero."""
        steepest = torch.minimum((dy / self.y).amin((1, 2)), (dz / self.z).amin((1, 2)))
        steepest = torch.maximum(-steepest, self.term.room(self.s, ds))
        return (_REACH / steepest.clamp_min(1e-9)).clamp_max(1.0)

    def retire(self, stopped: Tensor, iteration: int) -> None:
        """Write down the members that stopped and go on with the others."""
        rows = self.active[stopped]
        y = self.sigma[stopped] / self.z[stopped]
        self.y_out[rows] = y / y.sum(1, keepdim=True)
        self.residual[rows], self.iterations[rows] = self.gap[stopped], iteration
        going = ~stopped
        for name in ("active", "sigma", "mu", "s", "t", "z", "y"):
            setattr(self, name, getattr(self, name)[going])
        self.term.keep(going)

    def answer(self, dtype: torch.dtype, weight: Tensor, u: Tensor, fairness: Fairness) -> PseudoLabels:
        def value(log_y: Tensor, mean: Tensor) -> Tensor:
            return -(self.all * log_y).sum((1, 2)) / log_y.shape[2] + weight * fairness(u, mean)

        log_y = self.y_out.log()
        return PseudoLabels(
            y=self.y_out.transpose(1, 2).to(dtype).contiguous(),
            log_y=log_y.transpose(1, 2).to(dtype).contiguous(),
            iterations=self.iterations,
            objective_before=value(self.all.log(), self.all.mean(2)),
            objective_after=value(log_y, self.y_out.mean(2)),
            residual=self.residual,
        )
