"""Entropic optimal transport of points onto classes by Sinkhorn's iterations in the log domain (SeLa, 1911.05371)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Transport:
    """Soft assignments of M members with prescribed class shares.

    Attributes:
        q: (M, N, K) rows on the simplex: N times the transport plan.
        labels: (M, N) int64, argmax of q.
        iterations: (M,) int64, sweeps each member took.
        residual: (M,) float64, sum_k |mean_i q_ik - u_k| at q.
    """

    q: Tensor
    labels: Tensor
    iterations: Tensor
    residual: Tensor


@torch.no_grad()
def sinkhorn(
    affinity: Tensor,
    sharpness: Tensor,
    prior: Tensor | None = None,
    *,
    tolerance: float = 1e-4,
    max_iterations: int = 500,
) -> Transport:
    """Minimise <Q, -affinity> - H(Q) / sharpness over plans with row sums 1/N and column sums u.

    SeLa's step with affinity = ln p and sharpness its lambda; SwAV's with affinity = scores and sharpness
    1 / epsilon; the Sinkhorn arm of hard regularisation with affinity = -C. Potentials stay in logarithms, so
    no sharpness underflows. Each sweep fits the columns, then the rows: rows are exact, columns to the residual.
    Labels are the argmax (the authors of 2303.16521 take the argmin, their code's slip); they are balanced only
    as far as the plan is hard, see `exact_hard.balanced_hard` for exact balance. Members stop on their own.

    Args:
        affinity: (M, N, K) larger is nearer; computed in float64, since sharpness multiplies rounding.
        sharpness: (M,) > 0.
        prior: (M, K) column shares u, rows on the simplex, zeros allowed; None is 1/K.
        tolerance: L1 distance of mean_i q_i from u at which a member stops; 0 runs to the cap.
        max_iterations: cap on sweeps, at least 1.

    Returns:
        Transport in the dtype of affinity. A member with NaN gets NaN rows, the others do not notice.

    Raises:
        ValueError: A shape does not fit, there is no point or class, or the cap is below 1.
    """
    if affinity.ndim != 3 or 0 in affinity.shape[1:]:
        raise ValueError(f"affinity must be (M, N, K) with N and K at least 1; got {tuple(affinity.shape)}")
    members, _, classes = affinity.shape
    if tuple(sharpness.shape) != (members,) or max_iterations < 1:
        raise ValueError(
            f"sharpness must be ({members},) and max_iterations at least 1; "
            f"got {tuple(sharpness.shape)} and {max_iterations}"
        )
    if prior is not None and tuple(prior.shape) != (members, classes):
        raise ValueError(f"prior must be {(members, classes)}; got {tuple(prior.shape)}")
    u = affinity.new_full((members, classes), 1 / classes) if prior is None else prior
    return _solve(affinity, sharpness.double(), u.double(), tolerance, max_iterations)


def _solve(affinity: Tensor, sharpness: Tensor, u: Tensor, tolerance: float, cap: int) -> Transport:
    # class-major (M, K, N): for small K all passes run along N
    scaled = sharpness[:, None, None] * affinity.detach().double().transpose(1, 2).contiguous()
    points = scaled.shape[2]
    log_u = u.log()
    active = torch.arange(len(scaled), device=scaled.device)
    mass = torch.logsumexp(scaled - torch.logsumexp(scaled, 1)[:, None, :], 2)
    out = torch.empty_like(scaled)
    residual = scaled.new_empty(len(scaled))
    iterations = torch.zeros_like(active)
    for iteration in range(1, cap + 1):
        # an empty class keeps potential -inf, whatever its mass
        columns = torch.where(log_u == -torch.inf, -torch.inf, log_u - mass)
        rows = -torch.logsumexp(scaled + columns[:, :, None], 1)
        mass = torch.logsumexp(scaled + rows[:, None, :], 2)
        off = ((columns + mass).exp() / points - u).abs().sum(1)
        going = off > tolerance  # False for NaN
        if iteration == cap:
            going = torch.zeros_like(going)
        if not bool(going.all()):
            done = ~going
            where = active[done]
            out[where] = scaled[done] + columns[done][:, :, None] + rows[done][:, None, :]
            residual[where], iterations[where] = off[done], iteration
            active, scaled, mass = active[going], scaled[going], mass[going]
            log_u, u = log_u[going], u[going]
            if not active.numel():
                break
    q = out.exp_().transpose(1, 2).contiguous()
    return Transport(q=q.to(affinity.dtype), labels=q.argmax(2), iterations=iterations, residual=residual)
