"""Each fairness form is answered by a solver that does minimise it, and given labels stay as they are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from orchestrator.errors import RequestError
from trainables.heads.fair_labels import FORMS, Given, Solver, fair_labels
from trainables.losses.soft_labels import FAIRNESS, predictions

WEIGHT = torch.tensor([5.0, 50.0])


def seen() -> tuple[Tensor, Tensor]:
    return predictions(2.0 * torch.randn(2, 4, 60, generator=torch.Generator().manual_seed(0)).double())


def objective(form: str, sigma: Tensor, y: Tensor) -> Tensor:
    return -(sigma * y.log()).sum(1).mean(1) + WEIGHT * FAIRNESS[form](y.mean(2))


@pytest.mark.parametrize(
    ("form", "name"),
    [("kl_u_y", "em"), ("kl_u_y", "newton"), ("kl_u_y", "mirror_descent"), ("kl_y_u", "em"), ("entropy", "em")],
)
def test_no_small_move_lowers_the_objective(form: str, name: str) -> None:
    sigma, log_sigma = seen()
    labels = fair_labels(form, (sigma, log_sigma), WEIGHT.double(), solver=Solver(name, 1e-13, 20_000))
    torch.testing.assert_close(labels.y.sum(1), torch.ones(2, 60).double())
    torch.testing.assert_close(labels.log_y, labels.y.log())
    best = objective(form, sigma, labels.y)
    generator = torch.Generator().manual_seed(1)
    for size in (1e-3, 1e-2, 0.1):
        moved = (labels.log_y + size * torch.randn(2, 4, 60, generator=generator)).softmax(1)
        assert (objective(form, sigma, moved) >= best - 1e-7).all()
    assert labels.facts is not None and (labels.facts[:, 2] <= labels.facts[:, 1]).all()


def test_transport_gives_equal_sizes_and_the_cheapest_labels() -> None:
    sigma, log_sigma = seen()
    labels = fair_labels("transport", (sigma, log_sigma), WEIGHT.double())
    hard = labels.y.argmax(1)
    assert all(torch.bincount(member, minlength=4).tolist() == [15] * 4 for member in hard)
    from scipy.optimize import linear_sum_assignment

    cost = -log_sigma[0].T.repeat_interleave(15, dim=1).numpy()
    rows, columns = linear_sum_assignment(cost)
    mine = -log_sigma[0].T[torch.arange(60), hard[0]].sum()
    assert float(mine) == pytest.approx(float(cost[rows, columns].sum()))


@pytest.mark.parametrize("form", ["none", "kl_u_sigma"])
def test_without_a_term_of_the_labels_they_are_the_predictions(form: str) -> None:
    sigma, log_sigma = seen()
    labels = fair_labels(form, (sigma, log_sigma), WEIGHT)
    assert labels.y is sigma and labels.facts is None


@pytest.mark.parametrize("form", FORMS)
def test_given_labels_are_held_or_refused(form: str) -> None:
    sigma, log_sigma = seen()
    held = (torch.arange(60) % 3 == 0).expand(2, 1, 60)
    target = torch.full_like(sigma, 0.1).index_fill_(1, torch.tensor([2]), 0.7)
    given = Given(held, target)
    if form in ("kl_y_u", "entropy", "transport"):
        with pytest.raises(RequestError, match="cannot hold given labels"):
            fair_labels(form, (sigma, log_sigma), WEIGHT.double(), given)
        return
    labels = fair_labels(form, (sigma, log_sigma), WEIGHT.double(), given)
    torch.testing.assert_close(labels.y[:, :, ::3], target[:, :, ::3])
    assert not torch.allclose(labels.y[:, :, 1::3], target[:, :, 1::3])
