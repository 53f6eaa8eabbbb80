import copy
from typing import Any

import pytest
import torch

from orchestrator.errors import RequestError
from orchestrator.knobs import configured
from trainables.data.dataset import Dataset
from trainables.methods.pipcdr import METHOD, PipCdr

SMALL = {
    "batch_size": 32,
    "output_dim": 16,
    "encoder_width": 16,
    "head_width": 16,
    "kmeans_restarts": 1,
    "warmup_share": 0.0,
}


def blobs(n: int = 120, k: int = 4) -> Dataset:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, k, (n,), generator=generator)
    centres = 3.0 * torch.randn(k, 12, generator=generator)
    return Dataset("blobs", centres[labels] + torch.randn(n, 12, generator=generator), labels, k)


def method(*knobs: dict[str, Any], n_epochs: int = 4, data: Dataset | None = None) -> PipCdr:
    configs = [configured(METHOD.Config, {**SMALL, **values}, n_epochs, "pipcdr") for values in knobs]
    return METHOD(configs, [7] * len(knobs), data or blobs(), torch.device("cpu"))


def test_no_noise_and_no_dispersion_is_byol_exactly() -> None:
    both = method({"neighbour_noise": 0.0, "cdr_weight": 0.0}, {"terms": "byol"}, {})
    for _ in range(2):
        both.fit_epoch()
    zero, byol, full = both.evaluate(True)
    assert zero == byol
    assert full != byol


def test_the_target_is_the_average_of_online_networks() -> None:
    trained = method({"ema": 0.9}, {"ema": 0.99})
    rows = trained.order.permutation(120)[:, :40]
    trained.rates = trained.rates_now()
    before = [tensor.clone() for tensor in trained.target.params]
    trained.fit_batch(rows)
    for old, target, online in zip(before, trained.target.params, trained.online.params, strict=True):
        for member, m in enumerate((0.9, 0.99)):
            torch.testing.assert_close(target[member], m * old[member] + (1 - m) * online[member].detach())


def test_a_target_that_follows_before_the_step_sees_the_weights_as_they_were() -> None:
    late, early = (method({"ema": 0.9, "ema_order": order}) for order in ("after", "before"))
    start = [tensor.clone() for tensor in early.target.params]
    first = []
    for trained in (late, early):
        trained.fit_epoch()
        first.append(float(trained.evaluate(False)[0]["metric.loss"]))
    moved = [not torch.equal(*pair) for pair in zip(start, early.target.params, strict=True)]
    assert any(moved) and first[0] != first[1]
    single = method({"ema": 0.9, "ema_order": "before", "batch_size": 1024})
    still = [tensor.clone() for tensor in single.target.params]
    single.fit_epoch()  # one step: online and target were equal when the target followed
    for before, after in zip(still, single.target.params, strict=True):
        torch.testing.assert_close(before, after)


def test_the_added_form_is_the_convex_one_over_w() -> None:
    weight = 0.2
    convex, added = (
        method({"cdr_weight": weight, "loss_scale": scale, "batch_size": 1024}) for scale in ("convex", "added")
    )
    losses = []
    for trained in (convex, added):
        trained.fit_epoch()
        losses.append(trained.evaluate(False)[0]["metric.loss"])
    assert losses[1] == pytest.approx(losses[0] / (1 - weight), rel=1e-5)
    with pytest.raises(RequestError, match=r"cdr_weight = 1.0 with loss_scale = 'added'"):
        method({"cdr_weight": 1.0, "loss_scale": "added"})


def test_a_queue_of_ratio_r_reaches_half_as_many_steps_back() -> None:
    trained = method({"queue_ratio": 4, "batch_size": 30}, n_epochs=2)
    trained.fit_epoch()
    assert trained.queue.shape[1] == 120
    rows = trained.queue_rows[0].view(2, 2, 30)  # two steps of two views each
    assert torch.equal(rows[:, 0], rows[:, 1])
    assert len(set(rows[:, 0].flatten().tolist())) == 60


def test_a_cosine_schedule_ends_with_a_target_that_stands_still() -> None:
    trained = method({"ema": 0.9, "ema_schedule": "cosine"}, {"ema": 0.9})
    trained.rates = trained.rates_now()
    total = trained.rates["n_epochs"] * len(trained.cuts)
    assert trained.target_momentum(total).tolist() == pytest.approx([0.9, 0.9])
    trained.step = int(total[0])
    assert trained.target_momentum(total).tolist() == pytest.approx([1.0, 0.9])


def test_only_due_members_are_relabelled_and_only_they_draw_for_it() -> None:
    trained = method({"kmeans_every": 1}, {"kmeans_every": 3}, n_epochs=5)
    states, labels = trained.starts.state_dict()["generators"], trained.labels.clone()
    trained.fit_epoch()
    after = trained.starts.state_dict()["generators"]
    assert not torch.equal(states[0], after[0])
    assert torch.equal(states[1], after[1]) and torch.equal(labels[1], trained.labels[1])
    trained.fit_epoch()
    trained.fit_epoch()
    assert not torch.equal(states[1], trained.starts.state_dict()["generators"][1])


def test_the_last_epoch_ends_with_k_means_whatever_r() -> None:
    trained = method({"kmeans_every": 50}, n_epochs=2)
    states = trained.starts.state_dict()["generators"]
    trained.fit_epoch()
    assert torch.equal(states, trained.starts.state_dict()["generators"])
    trained.fit_epoch()
    assert not torch.equal(states, trained.starts.state_dict()["generators"])


def test_the_queue_holds_the_newest_target_embeddings_and_unfilled_places_count_nowhere() -> None:
    trained = method({"queue_ratio": 4})
    trained.rates = trained.rates_now()
    rows = trained.order.permutation(120)[:, :30]
    trained.fit_batch(rows)
    assert trained.queue.shape == (1, 128, 16)
    assert torch.equal(trained.queue_rows[0, -60:], torch.cat([rows[0], rows[0]]))
    assert (trained.queue_rows[0, :-60] == -1).all()
    torch.testing.assert_close(trained.queue[0, -60:].norm(dim=1), torch.ones(60))
    empty = copy.copy(trained)
    empty.queue, empty.queue_rows = torch.zeros(1, 0, 16), torch.zeros(1, 0, dtype=torch.int64)
    z, t = torch.randn(1, 30, 16), torch.randn(1, 30, 16)
    trained.queue_rows = torch.full_like(trained.queue_rows, -1)
    torch.testing.assert_close(trained.dispersion(rows, z, t), empty.dispersion(rows, z, t))


def test_warm_up_epochs_are_plain_byol() -> None:
    trained = method({"warmup_share": 0.2}, {"warmup_share": 0.0}, n_epochs=5)
    assert trained.rates_now()["noise"].tolist() == pytest.approx([0.0, 1e-3])
    assert trained.rates_now()["cdr_weight"].tolist() == pytest.approx([0.0, 1 / 11])
    trained.epoch = 1
    assert trained.rates_now()["cdr_weight"].tolist() == pytest.approx([1 / 11, 1 / 11])


def test_every_evaluation_says_how_many_neighbours_are_kept_with_the_noise_of_its_epoch() -> None:
    loud = {"noise_units": "relative", "neighbour_noise": 2.0}
    trained = method(loud, {**loud, "warmup_share": 0.2}, n_epochs=10)
    by_centre, by_class = "diagnostic.centre_preservation", "metric.semantic_preservation"
    trained.fit_epoch()
    noisy, warm = trained.evaluate(False)
    assert noisy[by_centre] < warm[by_centre] == 1.0
    assert noisy[by_class] < warm[by_class]
    trained.fit_epoch()
    assert all(row[by_centre] < 1.0 for row in trained.evaluate(False))


def test_relative_noise_has_the_length_it_says() -> None:
    trained = method({"noise_units": "relative", "neighbour_noise": 0.5})
    trained.fit_epoch()
    assert trained.evaluate(False)[0]["diagnostic.relative_noise"] == pytest.approx(0.5, rel=1e-5)


def test_resampling_draws_clusters_evenly() -> None:
    trained = method({"resample": True})
    trained.labels[0] = (torch.arange(120) >= 12).long() + 2 * (torch.arange(120) >= 110).long()
    drawn = torch.cat([trained.labels[0][trained.resampled()[0]] for _ in range(20)])
    shares = torch.bincount(drawn, minlength=4) / len(drawn)
    assert shares[[0, 1, 3]].tolist() == pytest.approx([1 / 3] * 3, abs=0.05)


def test_fewer_points_than_clusters_is_said_in_one_line() -> None:
    few = Dataset("few", torch.randn(3, 12), torch.tensor([0, 1, 2]), 4)
    with pytest.raises(RequestError, match="4 clusters, allowed: at most the 3 points"):
        method({}, data=few)


def test_held_out_points_go_to_the_nearest_centre() -> None:
    data = blobs(160)
    split = Dataset(
        "split", data.inputs[:120], data.labels[:120], 4, data.inputs[:40], data.labels[:40], protocol="split"
    )
    trained = method({}, data=split)
    trained.fit_epoch()
    assert (trained.predictions()[0] == trained.labels[0, :40]).float().mean() > 0.95
