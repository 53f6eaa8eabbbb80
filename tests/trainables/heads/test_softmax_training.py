"""Rivals of entropy clustering: their losses are the ones they descend, and full-set targets are held for an epoch."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch

from orchestrator import discovery
from orchestrator.knobs import configured
from trainables.data.dataset import Dataset
from trainables.datasets import digits, gaussians
from trainables.heads.network_head import NetworkHead
from trainables.heads.shared_head import SharedLinear
from trainables.heads.softmax_training import SoftmaxTraining
from trainables.losses.soft_labels import predictions

CPU = torch.device("cpu")
RIVALS = ("mi_gradient_descent", "sela", "miadm")


@cache
def blobs() -> Dataset:
    whole = gaussians.load()
    return Dataset("blobs", whole.inputs[:300].clone(), whole.labels[:300], 10)


def built(name: str, *, seed: int = 0, **knobs: Any) -> SoftmaxTraining:
    torch.set_num_threads(1)
    method = discovery.method(name)
    rival: SoftmaxTraining = method(
        [configured(method.Config, {"batch_size": 50} | knobs, 10, name)], [seed], blobs(), CPU
    )
    return rival


@pytest.mark.parametrize("name", RIVALS)
def test_slopes_are_the_gradients_of_the_losses_for_fixed_targets(name: str) -> None:
    logits = torch.randn(1, 10, 40, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    rival = built(name)
    targets = rival.targets(*predictions(logits))
    slope = rival.loss(predictions(logits), targets)[1]
    step = 1e-5
    for place in [(0, 0, 0), (0, 3, 7), (0, 9, 39)]:
        ends = []
        for sign in (1.0, -1.0):
            moved = logits.clone()
            moved[place] += sign * step
            ends.append(float(rival.loss(predictions(moved), targets)[0]))
        assert float(slope[place]) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("name", RIVALS)
def test_reported_loss_holds_the_norm_term_once(name: str) -> None:
    losses = [built(name, norm_weight=weight, lr=1e-5, batch_size=300) for weight in (0.0, 0.5)]
    for rival in losses:
        rival.fit_epoch()
    free, bound = (rival.evaluate(False)[0]["metric.loss"] for rival in losses)
    squared = losses[1].head.weight.square().sum()
    if losses[1].norm_counts_biases:
        squared = squared + losses[1].head.bias.square().sum()
    assert bound - free == pytest.approx(0.5 * float(squared), rel=1e-3)


@pytest.mark.parametrize("name", RIVALS)
def test_rivals_start_and_draw_batches_as_entropy_clustering_does(name: str) -> None:
    entropy = discovery.method("entropy")
    ours = entropy([configured(entropy.Config, {}, 10, "entropy")], [5], blobs(), CPU)
    rival = built(name, seed=5)
    assert torch.equal(rival.head.weight, ours.head.weight) and torch.equal(rival.head.bias, ours.head.bias)
    assert torch.equal(rival.order.permutation(300), ours.order.permutation(300))


@pytest.mark.parametrize("name", ["sela", "miadm"])
def test_full_targets_are_made_once_an_epoch_and_batch_targets_for_each_batch(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for update, sizes in (("full", [300]), ("batch", [50] * 6)):
        rival, seen = built(name, update=update), []
        made = rival.targets

        def counted(sigma: torch.Tensor, log_sigma: torch.Tensor, made: Any = made, seen: Any = seen) -> Any:
            seen.append(sigma.shape[2])
            return made(sigma, log_sigma)

        monkeypatch.setattr(rival, "targets", counted)
        rival.fit_epoch()
        assert seen == sizes


@pytest.mark.parametrize(
    ("name", "knobs", "least"),
    [
        ("mi_gradient_descent", {"lr": 1.0}, 0.7),
        ("sela", {"lr": 0.3}, 0.7),
        ("sela", {"update": "batch", "solver_iterations": 20}, 0.6),
        ("sela", {"first_labels": "permutation"}, 0.5),
        ("miadm", {"lr": 0.3}, 0.5),
        ("miadm", {"update": "batch", "lr": 1.0}, 0.7),
    ],
)
def test_every_rival_finds_the_gaussians(name: str, knobs: dict[str, Any], least: float) -> None:
    rival = built(name, **knobs)
    for _ in range(10):
        rival.fit_epoch()
    row = rival.evaluate(True)[0]
    assert row["metric.nmi"] > least and row["metric.collapsed"] == 0.0


def test_a_gap_between_first_biases_starts_at_collapse() -> None:
    assert built("mi_gradient_descent", init_gap=10.0).evaluate(False)[0]["metric.max_share"] == 1.0


@pytest.mark.parametrize("name", RIVALS)
def test_a_linear_network_under_an_optimiser_is_the_closed_form(name: str) -> None:
    """Adam at a linear head takes the other path: its first step is lr times the sign of the closed form's."""
    plain = {"batch_size": 300, "lr": 1e-3, "norm_weight": 0.0}
    closed, network = built(name, **plain), built(name, **plain, optimiser="adam")
    assert isinstance(closed.head, SharedLinear) and isinstance(network.head, NetworkHead)
    start = network.head.network.params[0][0].detach().T.clone()
    torch.testing.assert_close(closed.head.weight[0], start)
    for rival in (closed, network):
        rival.fit_epoch()
    first = closed.head.weight[0] - start
    second = network.head.network.params[0][0].detach().T - start
    large = first.abs() > 1e-2 * first.abs().max()
    torch.testing.assert_close(second[large], 1e-3 * first[large].sign(), rtol=1e-2, atol=1e-6)


@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.parametrize("knobs", [{"network": "mlp"}, {"network": "cnn", "view": "shift", "n_views": 2}])
def test_rivals_train_networks_with_views(name: str, knobs: dict[str, Any]) -> None:
    whole = digits.load()
    data = Dataset("some digits", whole.inputs[:120], whole.labels[:120], 10)
    method = discovery.method(name)
    values = {"batch_size": 40, "optimiser": "adam", "lr": 1e-3, **knobs}
    rival = method([configured(method.Config, values, 3, name)], [0], data, CPU)
    before = rival.head.network.params[0].detach().clone()
    for _ in range(3):
        rival.fit_epoch()
    row = rival.evaluate(True)[0]
    assert not torch.equal(before, rival.head.network.params[0])
    assert row["metric.loss"] == row["metric.loss"] and len(rival.head.views) == knobs.get("n_views", 0)
