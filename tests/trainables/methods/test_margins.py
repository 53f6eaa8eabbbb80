"""Toy results of paper 2301.11405: where its linear model and k-means end from each other's solutions (Figs. 1, 3, 8).

The paper's loss (14), gamma ||v||^2 + mean H(sigma) - H(sbar), is the method's `renyi` form of order 1 with the
fairness term's entropy at weight 1; batches hold all points, so an epoch is a step of gradient descent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import ModuleType

import pytest
import torch
from sklearn.svm import SVC
from torch import Tensor

from trainables.data.dataset import Dataset
from trainables.datasets import mnist_5k, parallel_gaussians, three_sides, two_margins
from trainables.methods.entropy import EntropyClustering, EntropyConfig

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@dataclass(frozen=True)
class Found:
    """A solution: its loss and hard clusters."""

    loss: float
    labels: Tensor
    weight: Tensor


def entropy_from(data: Dataset, start: Tensor, gamma: float, steps: int = 2000) -> Found:
    """Descend from the posterior of unit Gaussians at the means of `start`'s clusters: a k-means solution as (3)."""
    means = torch.stack([data.inputs[start == label].mean(0) for label in range(data.n_classes)])
    method = EntropyClustering([linear(gamma, steps)], [0], data, CPU)
    method.head.load_state_dict({"weight": 2 * means[None], "bias": -means.square().sum(1)[None]})
    return descended(method, steps)[0]


def entropy_best(data: Dataset, gamma: float, n_seeds: int = 16, steps: int = 1500) -> Found:
    """Descend from random weights of several seeds; the least loss stays."""
    method = EntropyClustering([linear(gamma, steps)] * n_seeds, list(range(n_seeds)), data, CPU)
    return min(descended(method, steps), key=lambda found: found.loss)


def linear(gamma: float, steps: int) -> EntropyConfig:
    return EntropyConfig(
        n_epochs=steps,
        loss="renyi",
        fairness="entropy",
        fairness_weight=1.0,
        norm_weight=gamma,
        lr=5.0,
        batch_size=2000,
    )


def descended(method: EntropyClustering, steps: int) -> list[Found]:
    for _ in range(steps):
        method.fit_epoch()
    losses = [row["metric.loss"] for row in method.evaluate(False)]
    labels = torch.cat(list(method.head.outputs(method.scored)), 2).argmax(1)
    weight = method.head.state_dict()["weight"]
    return [Found(*found) for found in zip(losses, labels, weight, strict=True)]


def soft_k_means_from(data: Dataset, start: Tensor, gamma: float) -> Found:
    """Lloyd's algorithm for (11) from the means of `start`'s clusters; the loss is a sum over points."""
    points = data.inputs.double()
    means = torch.stack([points[start == label].mean(0) for label in range(data.n_classes)])
    for _ in range(200):
        distances = torch.cdist(points, means).square()
        y = (-distances / gamma).softmax(1)
        means = (y.T @ points) / y.sum(0)[:, None]
    distances = torch.cdist(points, means).square()
    loss = -gamma * torch.logsumexp(-distances / gamma, 1).sum()  # the minimum of (11) over y, ||X||^2 left out
    return Found(float(loss), distances.argmin(1), means)


def agreement(left: Tensor, right: Tensor) -> float:
    """Share of points that two partitions into two treat alike."""
    same = float((left == right).float().mean())
    return max(same, 1.0 - same)


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.parametrize("gamma", [1e-5, 1e-6])
def test_each_returns_to_its_own_optimum_from_the_solution_of_the_other(gamma: float) -> None:
    """Fig. 3, whose points are not ours: entropy -0.6910 wide, -0.6610 narrow; soft k-means 419.60 wide, 401.45 narrow.

    Measured here at gamma 1e-5: entropy -0.6921 and -0.6897, soft k-means 323.2 and 290.1; at 1e-6 entropy -0.6929 and
    -0.6921. From each other's solutions all four come back, though k-means cuts 2 and 13.5 % of the points otherwise.
    """
    data = two_margins.load()
    wide, narrow = data.labels, torch.arange(200) // 50 % 2
    means_wide, means_narrow = (soft_k_means_from(data, start, gamma) for start in (wide, narrow))
    assert means_narrow.loss < 0.95 * means_wide.loss
    assert 0.9 < agreement(means_wide.labels, wide) < 1.0 and 0.8 < agreement(means_narrow.labels, narrow) < 1.0
    entropy_wide, entropy_narrow = (entropy_from(data, found.labels, gamma) for found in (means_wide, means_narrow))
    assert agreement(entropy_wide.labels, wide) == agreement(entropy_narrow.labels, narrow) == 1.0
    assert -math.log(2) < entropy_wide.loss < entropy_narrow.loss - 0.0005
    for entropy, means in ((entropy_wide, means_wide), (entropy_narrow, means_narrow)):
        assert torch.equal(soft_k_means_from(data, entropy.labels, gamma).labels, means.labels)


@pytest.mark.slow
def test_the_boundary_turns_towards_the_widest_margin_as_gamma_falls() -> None:
    """Theorem 3: the direction of v converges to that of a support vector machine on the same clusters.

    Measured at gamma 0.1, 0.01, 1e-4: 82.7 degrees (another boundary, as in Fig. 4), 4.3 and 1.4.
    """
    data = two_margins.load()
    machine = SVC(kernel="linear", C=1e6).fit(data.inputs.numpy(), data.labels.numpy())
    best = torch.nn.functional.normalize(torch.tensor(machine.coef_[0], dtype=torch.float32), dim=0)
    angles = []
    for gamma in (1e-1, 1e-2, 1e-4):
        found = entropy_from(data, data.labels, gamma)
        normal = torch.nn.functional.normalize(found.weight[1] - found.weight[0], dim=0)
        angles.append(math.degrees(math.acos(min(1.0, float((normal * best).sum().abs())))))
    assert angles[0] > angles[1] > angles[2] and angles[2] < 3.0


@pytest.mark.slow
@pytest.mark.parametrize("toy", [parallel_gaussians, three_sides])
def test_the_least_entropy_loss_is_at_the_fair_clusters_of_widest_margin(toy: ModuleType) -> None:
    """Figs. 1 and 8: of 16 random starts the best one finds the classes; from k-means' clusters it does not get there.

    Losses measured: -0.6913 against -0.6742 on parallel_gaussians, -1.0860 against -1.0524 on three_sides.
    """
    data = toy.load()
    found = entropy_best(data, 1e-5)
    table = torch.bincount(found.labels * data.n_classes + data.labels, minlength=data.n_classes**2)
    assert int((table > 0).sum()) == data.n_classes, "clusters are the classes"
    means = min((soft_k_means_from(data, drawn(data, seed), 1e-5) for seed in range(20)), key=lambda one: one.loss)
    assert means.loss < soft_k_means_from(data, data.labels, 1e-5).loss + 1e-9
    stayed = entropy_from(data, means.labels, 1e-5)
    assert found.loss < stayed.loss - 0.005


def drawn(data: Dataset, seed: int) -> Tensor:
    return torch.randint(data.n_classes, (len(data),), generator=torch.Generator().manual_seed(seed))


@pytest.mark.slow
def test_labels_for_each_batch_beat_labels_once_an_epoch_on_mnist() -> None:
    """Fig. 12: 63 % against 52 % of ACC after 50 epochs on 70,000 images, and a lower loss.

    Measured here with 32 seeds, 5,000 images, learning rate 1: ACC 52.1 against 48.2 (+3.9, standard error 0.8, 26
    of 32 seeds), NMI 47.7 against 43.1, loss 0.44 against 1.90. At learning rate 0.1 no difference was seen (6 seeds).
    """
    data, seeds = mnist_5k.load(), list(range(12))
    accuracies, losses = {}, {}
    for update in ("batch", "epoch"):
        config = EntropyConfig(n_epochs=50, update=update, lr=1.0)
        method = EntropyClustering([config] * len(seeds), seeds, data, CPU)
        for _ in range(50):
            method.fit_epoch()
        rows = method.evaluate(False)
        accuracies[update] = [row["metric.acc"] for row in rows]
        losses[update] = torch.tensor([row["metric.loss"] for row in rows])
    batch, epoch = (torch.tensor(accuracies[update]) for update in ("batch", "epoch"))
    assert bool((losses["batch"] < losses["epoch"]).all())
    assert float(batch.mean()) > float(epoch.mean()) + 0.015
    assert int((batch > epoch).sum()) >= 9
