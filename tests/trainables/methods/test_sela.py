"""SeLa's labels have equal sizes, are those of exact transport when sharp, and start as its code's do when asked."""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.assignment.exact_hard import balanced_hard
from trainables.data.dataset import Dataset
from trainables.losses.soft_labels import predictions
from trainables.methods.sela import SeLa, SeLaConfig

CPU = torch.device("cpu")


def model(**knobs: object) -> SeLa:
    torch.set_num_threads(1)
    points = torch.randn(60, 6, generator=torch.Generator().manual_seed(1))
    return SeLa([SeLaConfig(**knobs)], [0], Dataset("some", points, torch.arange(60) % 5, 5), CPU)  # type: ignore[arg-type]


def skewed() -> tuple[Tensor, Tensor]:
    logits = torch.randn(1, 5, 60, generator=torch.Generator().manual_seed(2)) * 2.0
    logits[:, 0] += 2.0
    return predictions(logits)


def test_sharper_labels_come_nearer_to_equal_sizes_and_to_the_exact_transport() -> None:
    sigma, log_sigma = skewed()
    exact = balanced_hard(-log_sigma.transpose(1, 2))
    agree, spread = [], []
    for sharpness in (1.0, 25.0, 300.0):
        y, _ = model(sharpness=sharpness, solver_tolerance=1e-6, solver_iterations=2000).targets(sigma, log_sigma)
        labels = y.argmax(1)
        agree.append(float((labels == exact).float().mean()))
        sizes = labels[0].bincount(minlength=5)
        spread.append(int(sizes.max() - sizes.min()))
    assert agree[0] <= agree[1] <= agree[2] and agree[2] == 1.0
    assert spread[2] == 0 <= spread[1] <= spread[0]
    plain = sigma.argmax(1)[0].bincount(minlength=5)
    assert int(plain.max() - plain.min()) > 10


def test_logarithms_do_not_underflow_where_powers_of_predictions_would() -> None:
    logits = torch.randn(1, 5, 60, generator=torch.Generator().manual_seed(2)) * 30.0
    sigma, log_sigma = predictions(logits)
    assert bool((sigma**25 == 0.0).any())
    sela = model(solver_iterations=2000)
    y, log_y = sela.targets(sigma, log_sigma)
    assert bool(torch.isfinite(log_y).all()) and bool((y.sum(1) > 0.99).all())
    assert float(sela.diagnostics()["residual"]) < 0.05


def test_random_first_labels_are_balanced_and_last_for_one_epoch() -> None:
    sela = model(first_labels="permutation")
    first = sela.targets_of_epoch()
    assert first is not None
    assert first[0].argmax(1)[0].bincount().tolist() == [12] * 5
    made = sela.targets_of_all()
    assert not torch.equal(first[0], made[0])
    sela.fit_epoch()
    later = sela.targets_of_epoch()
    assert later is not None and torch.equal(later[0], sela.targets_of_all()[0])
