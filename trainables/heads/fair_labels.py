"""Pseudo-labels of entropy clustering for each fairness form, class-major: which solver answers which form."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from orchestrator.errors import RequestError
from trainables.assignment.em import em
from trainables.assignment.exact_hard import balanced_hard
from trainables.assignment.mirror_descent import mirror_descent
from trainables.assignment.newton import newton
from trainables.assignment.pseudo_labels import PseudoLabels
from trainables.losses.soft_labels import FLOOR

__all__ = ["FORMS", "N_FACTS", "SOLVERS", "Given", "Labels", "Solver", "fair_labels"]

FORMS = ("kl_u_y", "kl_y_u", "entropy", "transport", "kl_u_sigma", "none")
"""KL(u || ybar), KL(ybar || u), -H(ybar), equal sizes exactly, KL(u || sbar) (not about labels), nothing at all."""

SOLVERS = ("em", "newton", "mirror_descent")
"""Solvers of `kl_u_y`; the other forms have one each."""

N_FACTS = 4
"""Facts of a solved problem: iterations, objective before and after, residual."""


@dataclass(frozen=True)
class Given:
    """Labels that are input.

    Attributes:
        held: (M, 1, B) bool, the points that have one.
        target: (M, K, B) their labels as distributions >= FLOOR; of no meaning elsewhere.
    """

    held: Tensor
    target: Tensor


@dataclass(frozen=True)
class Labels:
    """Pseudo-labels.

    Attributes:
        y: (M, K, B) columns on the simplex.
        log_y: (M, K, B).
        facts: (M, N_FACTS) float64, or None when nothing had to be solved.
    """

    y: Tensor
    log_y: Tensor
    facts: Tensor | None


@dataclass(frozen=True)
class Solver:
    """How `kl_u_y`, `kl_y_u` and `entropy` are solved.

    Attributes:
        name: a name in SOLVERS, for `kl_u_y`; `kl_y_u` and `entropy` are always Newton's.
        tolerance: relative decrease (EM, mirror descent) or duality gap (Newton) to stop at.
        max_iterations: cap on iterations of EM and mirror descent.
    """

    name: str = "em"
    tolerance: float = 1e-6
    max_iterations: int = 15


@torch.no_grad()
def fair_labels(
    form: str,
    predicted: tuple[Tensor, Tensor],
    weight: Tensor,
    given: Given | None = None,
    start: Tensor | None = None,
    solver: Solver | None = None,
) -> Labels:
    """Return the y that minimise mean_i H(sigma_i, y_i) + lambda fairness, and equal `given` where that is held.

    Args:
        form: a name in FORMS.
        predicted: sigma and ln sigma, (M, K, B) each.
        weight: (M,) lambda.
        given: labels of some points; `kl_y_u`, `entropy` and `transport` cannot hold any.
        start: (M, K, B) where EM starts; None is sigma. The optimum is one, but EM stops before it.
        solver: None is EM with its defaults.

    Raises:
        RequestError: given labels under a form or solver that cannot hold them.
    """
    solver = solver or Solver()
    sigma, log_sigma = predicted
    if given is not None and form in ("kl_y_u", "entropy", "transport"):
        raise RequestError(f"fairness = {form!r} cannot hold given labels; allowed are kl_u_y, kl_u_sigma, none")
    if form in ("kl_u_sigma", "none"):
        return _free(sigma, log_sigma, given)
    if form == "transport":
        chosen = balanced_hard(-log_sigma.transpose(1, 2))
        y = torch.full_like(sigma, FLOOR).scatter_(1, chosen.unsqueeze(1), 1.0)
        return Labels(y, y.log(), None)
    rows, tolerance, cap = sigma.transpose(1, 2), solver.tolerance, solver.max_iterations
    if form != "kl_u_y":  # -H(ybar) is KL(ybar || u) up to a constant
        return _solved(newton(rows, weight, fairness="reverse", tolerance=tolerance))
    if given is not None and solver.name != "em":
        raise RequestError(f"solver = {solver.name!r} cannot hold given labels; allowed is em")
    if solver.name == "newton":
        return _solved(newton(rows, weight, tolerance=tolerance))
    if solver.name == "mirror_descent":
        return _solved(mirror_descent(rows, weight, tolerance=tolerance, max_iterations=cap))
    if given is None and start is None:
        first = (rows, log_sigma.transpose(1, 2))
        return _solved(em(rows, weight, start=first, tolerance=tolerance, max_iterations=cap))
    begin, held = sigma if start is None else start, None
    if given is not None:
        begin, held = torch.where(given.held, given.target, begin), given.held[:, 0]
    return _solved(em(rows, weight, start=begin.transpose(1, 2), held=held, tolerance=tolerance, max_iterations=cap))


def _free(sigma: Tensor, log_sigma: Tensor, given: Given | None) -> Labels:
    """Return y = sigma, at which H(sigma, y) alone is least, but for given labels."""
    if given is None:
        return Labels(sigma, log_sigma, None)
    y = torch.where(given.held, given.target, sigma)
    return Labels(y, y.log(), None)


def _solved(labels: PseudoLabels) -> Labels:
    facts = (labels.iterations, labels.objective_before, labels.objective_after, labels.residual)
    return Labels(
        labels.y.transpose(1, 2), labels.log_y.transpose(1, 2), torch.stack([fact.double() for fact in facts], 1)
    )
