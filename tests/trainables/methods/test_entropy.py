"""Entropy clustering: both forms of a linear model agree, the arms do what theory says, given labels are held."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from orchestrator.errors import RequestError
from trainables.data import data_folder
from trainables.data.dataset import Dataset
from trainables.data.options import wrapped
from trainables.datasets import digits, gaussians
from trainables.heads.network_head import NetworkHead, Shape
from trainables.heads.shared_head import SharedLinear
from trainables.method import Row
from trainables.methods import entropy
from trainables.methods.entropy import EntropyClustering, EntropyConfig

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@cache
def blobs() -> Dataset:
    """300 points of the Gaussians, 30 a class."""
    whole = gaussians.load()
    return Dataset("blobs", whole.inputs[:300].clone(), whole.labels[:300], 10)


def fitted(
    data: Dataset, *configs: EntropyConfig, epochs: int = 10, seed: int = 0
) -> tuple[EntropyClustering, list[Row]]:
    method = EntropyClustering(configs, [seed] * len(configs), data, CPU)
    for _ in range(epochs):
        method.fit_epoch()
    return method, method.evaluate(last=True)


def lively(**knobs: Any) -> EntropyConfig:
    """A configuration that clusters the Gaussians in ten epochs."""
    return EntropyConfig(**{"n_epochs": 10, "lr": 1.0, "batch_size": 50, **knobs})


def test_it_clusters_gaussians_and_logs_what_the_paper_looks_at() -> None:
    (row,) = fitted(blobs(), lively())[1]
    assert row["metric.nmi"] > 0.8 and row["metric.collapsed"] == 0.0
    assert 1 <= row["diagnostic.solver_iterations"] <= 15
    assert row["diagnostic.objective_after"] <= row["diagnostic.objective_before"]
    assert row["diagnostic.kl_u_y"] < 1e-2 < row["diagnostic.min_mean_y"]
    expected = row["diagnostic.fairness"] - row["diagnostic.decisiveness"]
    assert row["diagnostic.mutual_information"] == pytest.approx(expected)
    assert 0.0 <= row["diagnostic.margin"] <= row["diagnostic.margin_01"] <= row["diagnostic.margin_05"]
    assert row["diagnostic.soft_zone"] == pytest.approx(1.0 / row["diagnostic.weight_norm"])


@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_the_closed_form_of_a_linear_head_is_the_network_with_autograd(weight_decay: float) -> None:
    small = blobs()
    knobs = {"n_epochs": 2, "lr": 0.5, "batch_size": 64, "norm_weight": 0.01, "weight_decay": weight_decay}
    config = EntropyConfig(**knobs)
    plain = EntropyClustering([config], [3], small, CPU)
    network = EntropyClustering([config], [3], small, CPU)
    rates = {name: network.column(name) for name in entropy.RATES}
    shape = Shape(network="linear", hidden=(), batch_norm=False, optimiser="sgd", momentum=0.0, view="none", n_views=0)
    network.head = NetworkHead(small.inputs, 10, [3], rates, shape)
    network.scored = small.inputs
    assert isinstance(plain.head, SharedLinear)
    for _ in range(2):
        plain.fit_epoch()
        network.fit_epoch()
    left, right = plain.evaluate(True)[0], network.evaluate(True)[0]
    assert left["metric.loss"] == pytest.approx(right["metric.loss"], rel=1e-4)
    norms = plain.head.class_norms(), network.head.class_norms()
    torch.testing.assert_close(*norms, rtol=1e-4, atol=1e-4)


def test_reported_loss_is_the_one_that_is_minimised() -> None:
    data, config = blobs(), lively(lr=1e-5, batch_size=300, norm_weight=0.1)
    method = EntropyClustering([config], [1], data, CPU)
    logits = torch.cat(list(method.head.outputs(method.scored)), 2)
    sigma = logits.softmax(1).double()[0].T
    y = sigma.clone()
    for _ in range(15):
        share = y / y.sum(0)
        y = sigma + 100.0 * 300 * 0.1 * share
        y = y / y.sum(1, keepdim=True)
    fair = 100.0 * (0.1 * (0.1 / y.mean(0)).log()).sum()
    norm = 0.1 * float(method.head.class_norms().square().sum())
    expected = float(-(sigma * y.log()).sum(1).mean() + fair) + norm
    method.fit_epoch()
    assert method.evaluate(False)[0]["metric.loss"] == pytest.approx(expected, rel=1e-4)


def test_without_fairness_it_collapses_and_says_so() -> None:
    (row,) = fitted(blobs(), lively(fairness="none", init_scale=3.0), epochs=15)[1]
    (fair,) = fitted(blobs(), lively(init_scale=3.0), epochs=15)[1]
    assert row["metric.effective_clusters"] < fair["metric.effective_clusters"]
    assert row["diagnostic.solver_iterations"] == 0.0


@pytest.mark.parametrize(
    ("loss", "fairness", "lr", "weight"),
    [
        ("reverse", "kl_y_u", 1.0, 100.0),
        ("reverse", "kl_u_sigma", 1.0, 3.0),
        ("reverse", "transport", 0.1, 1.0),  # -ln 1e-12 pulls 28 times as hard as a soft label
        ("forward", "transport", 1.0, 1.0),
        ("symmetric", "entropy", 1.0, 100.0),
        ("collision", "kl_u_y", 1.0, 100.0),
    ],
)
def test_every_loss_and_fair_form_finds_the_gaussians(loss: str, fairness: str, lr: float, weight: float) -> None:
    (row,) = fitted(blobs(), lively(loss=loss, fairness=fairness, lr=lr, fairness_weight=weight))[1]
    assert row["metric.nmi"] > 0.6 and row["metric.collapsed"] == 0.0


@pytest.mark.parametrize("order", [0.5, 1.0, 2.0, "inf"])
def test_renyi_losses_find_the_gaussians_without_pseudo_labels(order: float | str) -> None:
    config = lively(loss="renyi", renyi_order=order, fairness="entropy", fairness_weight=2.0)
    (row,) = fitted(blobs(), config)[1]
    assert row["metric.nmi"] > 0.6 and row["diagnostic.solver_iterations"] == 0.0


def test_the_norm_term_bounds_the_weights_and_its_absence_lets_them_grow() -> None:
    data = blobs()
    configs = [lively(norm_weight=value) for value in (0.0, 0.01, 0.1)]
    norms = [row["diagnostic.weight_norm"] for row in fitted(data, *configs, epochs=8)[1]]
    assert norms[0] > norms[1] > norms[2]
    later = fitted(data, configs[0], epochs=16)[1][0]["diagnostic.weight_norm"]
    assert later > 1.05 * norms[0]


def test_labels_once_an_epoch_are_solved_once_and_learn_slower() -> None:
    data = blobs()
    batch, epoch = (fitted(data, lively(update=update), epochs=4)[1][0] for update in ("batch", "epoch"))
    assert batch["metric.nmi"] > epoch["metric.nmi"]


def test_labels_start_where_they_were_before_and_reach_the_same_optimum() -> None:
    """With one iteration an epoch the earlier labels are fairer; with many, EM has one optimum wherever it starts."""
    data = blobs()

    def unfair(start: str, iterations: int) -> float:
        config = lively(
            label_start=start,
            solver_iterations=iterations,
            solver_tolerance=1e-10,
            update="epoch",
            batch_size=300,
            fairness_weight=10.0,
        )
        return fitted(data, config, epochs=3)[1][0]["diagnostic.kl_u_y"]

    assert unfair("previous", 1) < 0.5 * unfair("sigma", 1)
    assert unfair("previous", 300) == pytest.approx(unfair("sigma", 300), rel=0.01)


def test_labels_of_tenths_are_made_ten_times_an_epoch() -> None:
    for update, sizes in (("epoch", [300]), ("tenth", [300] * 10), ("batch", [15] * 20)):
        method = EntropyClustering([lively(update=update, batch_size=15)], [0], blobs(), CPU)
        made, seen = method.pseudo_labels, []

        def counted(predicted: Any, *rest: Any, made: Any = made, seen: Any = seen) -> Any:
            seen.append(predicted[0].shape[2])
            return made(predicted, *rest)

        method.pseudo_labels = counted  # type: ignore[method-assign]
        method.fit_epoch()
        assert seen == sizes


@pytest.mark.parametrize("network", ["linear", "mlp"])
def test_a_gap_between_first_biases_starts_at_collapse_and_forward_cross_entropy_leaves_it_sooner(network: str) -> None:
    """Reverse cross-entropy has next to no slope there (methods note: 3.9e-5 against 0.89 at gap 10)."""
    data = blobs()
    start = EntropyClustering([lively(init_gap=10.0, network=network)], [0], data, CPU)
    assert start.evaluate(False)[0]["metric.max_share"] == 1.0
    configs = [lively(init_gap=10.0, network=network, loss=loss) for loss in ("forward", "reverse")]
    shares = [fitted(data, config, epochs=3)[1][0]["metric.max_share"] for config in configs]
    assert shares[0] < 0.5 and shares[1] > 0.9


def test_given_labels_are_held_and_help() -> None:
    data = blobs()
    some = wrapped(data, "labelled=0.1", "gaussians:labelled=0.1")
    (helped,) = fitted(some, lively())[1]
    assert helped["metric.nmi"] > fitted(data, lively())[1][0]["metric.nmi"] - 0.02
    assert helped["metric.acc"] > 0.95
    method = EntropyClustering([lively(given_softness=0.5)], [0], some, CPU)
    method.rates = {name: method.column(name) for name in entropy.RATES}
    labels = method.pseudo_labels_of_all()
    assert some.given_labels is not None
    held = (some.given_labels >= 0).nonzero()[:, 0]
    assert len(held) == 30
    top = labels.y[0][:, held].max(0)
    assert torch.equal(top.indices, some.given_labels[held])
    torch.testing.assert_close(top.values, torch.full_like(top.values, 0.55))


def test_forms_that_cannot_hold_given_labels_say_so() -> None:
    some = wrapped(blobs(), "labelled=0.1", "gaussians:labelled=0.1")
    with pytest.raises(RequestError, match="cannot hold given labels"):
        fitted(some, lively(fairness="transport"), epochs=1)
    with pytest.raises(RequestError, match="solver = 'newton' cannot hold given labels; allowed is em"):
        fitted(some, lively(solver="newton"), epochs=1)
    with pytest.raises(RequestError, match="needs pseudo-labels"):
        fitted(blobs(), lively(fairness="transport", loss="renyi"), epochs=1)


def test_views_enter_the_loss_with_their_weight() -> None:
    data = digits.load()
    small = Dataset("small", data.inputs[:200], data.labels[:200], 10)
    base = EntropyConfig(view="noise", view_strength=2.0, optimiser="adam", lr=1e-3, init_scale=10.0)
    configs = [replace(base, view_weight=weight) for weight in (0.0, 1.0)]
    unseen, seen = fitted(small, *configs, epochs=1)[1]
    assert unseen["diagnostic.view_loss"] == 0.0 < seen["diagnostic.view_loss"]
    two = fitted(small, replace(configs[1], n_views=2), epochs=1)[1][0]
    assert two["diagnostic.view_loss"] == pytest.approx(seen["diagnostic.view_loss"], rel=0.3)


def test_split_scores_points_that_were_not_fitted() -> None:
    data = blobs()
    split = Dataset("split", data.inputs[:200], data.labels[:200], 10, data.inputs[200:], data.labels[200:])
    method, rows = fitted(split.under("split"), lively())
    assert sum(map(len, method.scored)) == 100 and rows[0]["metric.nmi"] > 0.7


@pytest.mark.slow
@pytest.mark.sample
def test_an_mlp_with_views_beats_k_means_on_digits() -> None:
    config = EntropyConfig(
        n_epochs=30,
        network="mlp",
        hidden_width=128,
        optimiser="adam",
        lr=5e-3,
        batch_size=128,
        view="affine",
        view_weight=2.0,
    )
    method = EntropyClustering([config] * 4, [0, 1, 2, 3], digits.load(), CPU)
    for _ in range(30):
        method.fit_epoch()
    rows = method.evaluate(False)
    assert sum(row["metric.nmi"] for row in rows) / 4 > 0.742
    assert not any(row["metric.collapsed"] for row in rows)


@pytest.mark.parametrize(
    "form",
    [
        {"network": "mlp", "hidden_width": 24, "view": "noise", "n_views": 2, "optimiser": "adam", "batch_norm": True},
        {"network": "cnn", "view": "affine", "optimiser": "sgd", "momentum": 0.9},
        {"update": "epoch"},
        {"update": "tenth", "label_start": "previous"},
        {"label_start": "previous", "init_gap": 3.0},
        {"loss": "renyi", "fairness": "entropy"},
        {"fairness": "kl_y_u"},
        {"solver": "newton", "fairness": "kl_u_y"},
        {"solver": "mirror_descent", "fairness": "kl_u_y"},
        {"fairness": "transport", "loss": "forward"},
    ],
)
def test_every_form_gives_a_member_the_bits_it_has_alone(form: dict[str, Any]) -> None:
    whole = digits.load()
    data = Dataset("some", whole.inputs[:128], whole.labels[:128], 10)
    some = data if form.get("fairness") else wrapped(data, "labelled=0.3", "some:labelled=0.3")
    seeds = (1, 2, 1, 3, 2)
    configs = [
        EntropyConfig(n_epochs=2, batch_size=32, lr=lr, view_weight=lr, fairness_weight=100 * lr, **form)
        for lr in (0.01, 0.02, 0.05, 0.1, 0.2)
    ]
    bundle = EntropyClustering(configs, seeds, some, CPU)
    alone = [EntropyClustering([config], [seed], some, CPU) for config, seed in zip(configs, seeds, strict=True)]
    for last in (False, True):
        bundle.fit_epoch()
        for method in alone:
            method.fit_epoch()
        assert bundle.evaluate(last) == [method.evaluate(last)[0] for method in alone]


def test_a_convolution_network_may_begin_with_a_pretext_of_its_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(data_folder.VARIABLE, str(tmp_path))
    whole = digits.load()
    data = Dataset("some", whole.inputs[:80], whole.labels[:80], 10)
    config = EntropyConfig(network="cnn", start="simclr", pretext_epochs=1, optimiser="adam", lr=1e-3)
    drawn = EntropyClustering([replace(config, start="random")], [1], data, CPU)
    begun = EntropyClustering([config, config], [1, 2], data, CPU)
    assert [len(own) for own in begun.stages()] == [1, 1] and drawn.stages() == ()
    assert len({stage.key for (stage,) in begun.stages()}) == 2
    assert isinstance(begun.head, NetworkHead) and isinstance(drawn.head, NetworkHead)
    assert not torch.equal(begun.head.network.params[0][0], drawn.head.network.params[0][0])
    begun.fit_epoch()
    assert all("metric.nmi" in row for row in begun.evaluate(True))
