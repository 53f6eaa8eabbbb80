"""Hard regularisation: bits of members alone, what each arm is, collapse where theory has it, priors, diagnostics."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from orchestrator.errors import RequestError
from orchestrator.knobs import configured
from trainables.data.dataset import Dataset
from trainables.method import Row
from trainables.methods.hard_regularization import METHOD, Config, HardRegularization, solve

CPU = torch.device("cpu")


def blobs(shape: tuple[int, ...] = (6,), n: int = 90, k: int = 3) -> Dataset:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % k
    means = torch.randn(k, *shape, generator=generator) * 3
    return Dataset("blobs", means[labels] + torch.randn(n, *shape, generator=generator), labels, k)


SMALL: dict[str, Any] = {"network": "mlp", "width": 16, "output_dim": 8, "batch_size": 32}
DATA, IMAGES = blobs(), blobs((1, 8, 8))


def bundle(knobs: list[dict[str, Any]], seeds: list[int], data: Dataset = DATA) -> HardRegularization:
    return METHOD([configured(Config, SMALL | each, 3) for each in knobs], seeds, data, CPU)


def rows_of(method: HardRegularization, epochs: int) -> list[list[Row]]:
    rows = []
    for epoch in range(epochs):
        method.fit_epoch()
        rows.append(method.evaluate(epoch == epochs - 1))
    return rows


UNEQUAL: list[dict[str, Any]] = [
    {"lr": 1e-3, "variance": 100.0, "penalty": 1.0, "prior_level": 1},
    {"lr": 1e-2, "variance": 10.0, "penalty": 0.5, "prior_level": 3, "view_strength": 0.5, "init_scale": 2.0},
    {"lr": 3e-3, "variance": 1.0, "penalty": 2.0, "centroid_lr": 1e-2, "temperature": 0.5, "sinkhorn_epsilon": 0.1},
]
ARMS: list[dict[str, Any]] = [
    {"solver": "greedy"},
    {"solver": "greedy_icm", "count_scope": "epoch", "centroid_init": "kmeans"},
    {"solver": "greedy_regret", "prior": "reversed", "centroid_init": "random_features"},
    {"solver": "exact", "prior": "given", "centroid_init": "first_features"},
    {"solver": "greedy", "prior": "estimated", "centroid_init": "kmeans_plus_plus", "cluster_factor": 2.0},
    {"solver": "none"},
    {"solver": "sum_of_squares"},
    {"solver": "soft_entropy"},
    {"solver": "sinkhorn", "view": "noise_dropout", "label_from": "original"},
    {"solver": "sk_argmin_quirk", "network": "linear"},
    {"solver": "greedy", "network": "cnn", "view": "affine", "label_from": "original"},
]


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: "-".join(map(str, arm.values())))
def test_a_member_has_the_same_rows_alone_after_a_drop_and_after_a_state(arm: dict[str, Any]) -> None:
    data = IMAGES if arm.get("network") == "cnn" else DATA
    knobs, seeds = [each | arm for each in UNEQUAL], [7, 8, 7]
    fused, resumed = bundle(knobs, seeds, data), bundle(knobs, seeds, data)
    first = rows_of(fused, 1)[0]
    resumed.load_state_dict(fused.state_dict())
    resumed.keep([0, 2])
    whole, kept = rows_of(fused, 2), rows_of(resumed, 2)
    assert [[epoch[0], epoch[2]] for epoch in whole] == kept
    alone = bundle(knobs[2:], seeds[2:], data)
    assert rows_of(alone, 1)[0] == first[2:]
    assert rows_of(alone, 2) == [epoch[2:] for epoch in whole]


def test_a_diverging_member_leaves_its_neighbours_alone() -> None:
    calm, poisoned = bundle(UNEQUAL, [1, 2, 3]), bundle(UNEQUAL, [1, 2, 3])
    with torch.no_grad():
        poisoned.centroids[1] = float("nan")
    healthy, sick = rows_of(calm, 2), rows_of(poisoned, 2)
    assert [(epoch[0], epoch[2]) for epoch in healthy] == [(epoch[0], epoch[2]) for epoch in sick]
    assert math.isnan(sick[-1][1]["metric.loss"])


def test_labels_of_the_data_change_nothing_but_external_metrics() -> None:
    order = torch.randperm(len(DATA), generator=torch.Generator().manual_seed(3))
    shuffled = Dataset("blobs", DATA.inputs, DATA.labels[order], 3)
    arm = {"prior": "estimated", "centroid_init": "kmeans"}
    one, two = (rows_of(bundle([arm], [5], data), 2)[-1][0] for data in (DATA, shuffled))
    external = {"metric.acc", "metric.nmi", "metric.ari", "metric.ami"}
    assert {k: v for k, v in one.items() if k not in external} == {k: v for k, v in two.items() if k not in external}
    assert one["metric.nmi"] > two["metric.nmi"]


def test_it_finds_separated_blobs_and_its_loss_falls() -> None:
    rows = rows_of(bundle([{"variance": 10.0, "lr": 1e-2}] * 5, [0, 1, 2, 3, 4]), 15)
    assert sum(row["metric.acc"] for row in rows[-1]) / 5 > 0.95
    for first, last in zip(rows[0], rows[-1], strict=True):
        assert last["metric.loss"] < 0.5 * first["metric.loss"]
        assert last["metric.collapsed"] == 0.0


def test_without_a_price_one_cluster_takes_all_and_the_row_says_so() -> None:
    rows = {
        solver: rows_of(bundle([{"solver": solver, "lr": 1e-2}], [0], blobs(k=10)), 10)[-1][0]
        for solver in ("none", "greedy")
    }
    assert rows["none"]["metric.collapsed"] == 1.0
    assert rows["greedy"]["metric.collapsed"] == 0.0
    assert rows["none"]["diagnostic.nearest_entropy"] < 0.6 < rows["greedy"]["diagnostic.label_entropy"]


def test_a_penalty_of_zero_is_the_arm_without_a_price() -> None:
    free, none = bundle([{"penalty": 0.0}], [3]), bundle([{"solver": "none"}], [3])
    for one, two in zip(rows_of(free, 2), rows_of(none, 2), strict=True):
        assert one[0]["diagnostic.forced_share"] == 0.0
        assert {key: one[0][key] for key in two[0]} == two[0]


def test_a_growing_price_evens_the_labels_of_a_batch() -> None:
    rows = rows_of(bundle([{"penalty": p, "variance": 1.0} for p in (0.0, 1.0, 4.0)], [4] * 3, blobs(k=8)), 1)[0]
    entropies = [row["diagnostic.label_entropy"] for row in rows]
    assert entropies == sorted(entropies)
    assert entropies[2] > entropies[0] + 0.1


def test_counts_over_the_epoch_even_sizes_out_over_batches() -> None:
    rows = [
        rows_of(bundle([{"count_scope": scope, "variance": 1e4, "batch_size": 32}], [0], blobs(k=7)), 1)[0][0]
        for scope in ("batch", "epoch")
    ]
    # 90 points in 3 batches: counted per epoch, 7 clusters get 12 or 13 points; per batch, remainders add up
    assert rows[1]["diagnostic.label_entropy"] >= rows[0]["diagnostic.label_entropy"]
    assert rows[1]["diagnostic.label_entropy"] > 0.999


def test_the_quirk_takes_the_cluster_that_sinkhorn_would_take_last() -> None:
    def forced(solver: str) -> float:
        return rows_of(bundle([{"solver": solver, "variance": 10.0}], [0]), 1)[0][0]["diagnostic.forced_share"]

    assert forced("sk_argmin_quirk") > 0.6 > forced("sinkhorn")


def test_with_the_codes_constant_the_sum_of_squares_pushes_clusters_away_where_it_else_draws_them_in() -> None:
    """d = 4 and s = 100: the constant is 9.2, so a mean cost of 9.2, a mean squared distance of 921, is the best."""
    arm = {"solver": "sum_of_squares", "output_dim": 4, "variance": 100.0, "pull_weight": 1e-3}
    loss = {}
    for known in (False, True):
        made = bundle([arm | {"log_determinant": known}], [1])
        made.fit_epoch()
        loss[known] = made.evaluate(False)[0]["metric.loss"]
    assert loss[True] == pytest.approx(10 * (2 * math.log(100.0)) ** 2, rel=0.05)
    assert loss[False] < 1.0


def test_arms_that_share_a_seed_share_data_order_start_and_views() -> None:
    one = bundle([{"view": "noise", "solver": "greedy"}], [6])
    two = bundle([{"view": "noise", "solver": "sinkhorn"}], [6])
    assert torch.equal(one.centroids, two.centroids)
    assert all(torch.equal(a, b) for a, b in zip(one.encoder.params, two.encoder.params, strict=True))
    assert torch.equal(one.order.permutation(90), two.order.permutation(90))
    other = bundle([{"view": "noise"}], [7])
    assert not torch.equal(one.centroids, other.centroids)


def test_a_prior_is_matched_to_clusters_by_rank_of_their_sizes() -> None:
    method = bundle([{"prior": "given"}, {"prior": "given"}], [0, 1], blobs(k=6))
    assert bool((method.log_prior == 0).all())
    rows_of(method, 1)
    sizes, prior = method.sizes[:, 1], method.log_prior
    for own, shares in zip(sizes, prior, strict=True):
        assert own[shares.argmax()] == own.max()
        assert own[shares.argmin()] == own.min()
    wrong = bundle([{"prior": "reversed"}], [0], blobs(k=6))
    rows_of(wrong, 1)
    assert wrong.sizes[0, 1][wrong.log_prior[0].argmax()] == wrong.sizes[0, 1].min()


def test_a_prior_without_strength_is_the_uniform_one() -> None:
    even, mute = bundle([{}], [2]), bundle([{"prior": "given", "prior_strength": 0.0}], [2])
    one, two = rows_of(even, 2)[-1][0], rows_of(mute, 2)[-1][0]
    assert {k: v for k, v in one.items() if "divergence" not in k} == {
        k: v for k, v in two.items() if "divergence" not in k
    }


def test_solver_gaps_are_ordered_as_the_solvers_are() -> None:
    last = {
        solver: rows_of(bundle([{"solver": solver}], [1], blobs(k=8)), 1)[0][0]
        for solver in ("greedy", "greedy_icm", "exact")
    }
    for row in last.values():
        assert row["diagnostic.greedy_gap"] >= -1e-12
    assert last["greedy"]["diagnostic.solver_gap"] == last["greedy"]["diagnostic.greedy_gap"]
    assert last["greedy_icm"]["diagnostic.solver_gap"] <= last["greedy_icm"]["diagnostic.greedy_gap"] + 1e-12
    assert last["exact"]["diagnostic.solver_gap"] == 0.0


def test_a_bound_per_point_turns_greedy_into_its_regret_form() -> None:
    costs = torch.randn(2, 30, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    none, penalty = torch.zeros(2, 4), torch.ones(2)
    moved = costs + torch.randn(2, 30, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) * 5

    def labels(solver: str, table: Tensor) -> Tensor:
        return solve(solver, table, none, penalty)

    assert torch.equal(labels("greedy_regret", costs), labels("greedy_regret", moved))
    assert torch.equal(labels("exact", costs), labels("exact", moved))
    assert not torch.equal(labels("greedy", costs), labels("greedy", moved))


def test_the_paper_s_network_follows_the_kind_of_data() -> None:
    images = METHOD([Config()], [0], IMAGES, CPU)
    vectors = METHOD([Config()], [0], DATA, CPU)
    assert len(images.encoder.params) == 8  # two convolutions with scale and shift, one linear layer with bias
    assert len(vectors.encoder.params) == 5  # one hidden layer with scale and shift, one linear layer with bias
    assert images.encoder.out_features == vectors.encoder.out_features == 128
    assert METHOD.max_members(Config(), DATA) > METHOD.max_members(Config(network="resnet18"), IMAGES) == 1
    many = Dataset("many", torch.zeros(200_000, 1), torch.zeros(200_000, dtype=torch.int64), 10)
    assert METHOD.max_members(Config(network="mlp"), DATA) == 16 > METHOD.max_members(Config(network="mlp"), many) >= 1


def test_too_many_clusters_for_the_points_are_refused() -> None:
    with pytest.raises(RequestError, match="12 clusters, allowed: at most the 5 points there are"):
        bundle([{"cluster_factor": 4.0}], [0], blobs(n=5))


def test_one_cluster_and_batches_smaller_than_the_number_of_clusters_are_defined() -> None:
    one = Dataset("one", DATA.inputs, torch.zeros(90, dtype=torch.int64), 1)
    assert rows_of(bundle([{}], [0], one), 1)[0][0]["metric.n_clusters_used"] == 1.0
    many = rows_of(bundle([{"batch_size": 32, "cluster_factor": 4.0}], [0], blobs(n=90, k=15)), 1)[0][0]
    assert many["metric.n_clusters_used"] <= 60.0
