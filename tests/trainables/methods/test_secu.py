import itertools
import math
from typing import Any

import pytest
import torch

from orchestrator.knobs import configured
from trainables.data.dataset import Dataset
from trainables.datasets import digits
from trainables.losses.sphere import unit
from trainables.methods.secu import METHOD, RATES, SeCu

SMALL = {"batch_size": 32, "output_dim": 16, "encoder_width": 16, "head_width": 16, "heads": 2, "warmup_epochs": 1}


def blobs(n: int = 120, k: int = 4) -> Dataset:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, k, (n,), generator=generator)
    centres = 3.0 * torch.randn(k, 12, generator=generator)
    return Dataset("blobs", centres[labels] + torch.randn(n, 12, generator=generator), labels, k)


def method(*knobs: dict[str, Any], n_epochs: int = 6, data: Dataset | None = None) -> SeCu:
    configs = [configured(METHOD.Config, {**SMALL, **values}, n_epochs, "secu") for values in knobs]
    return METHOD(configs, [7] * len(knobs), data or blobs(), torch.device("cpu"))


def losses_of(trained: SeCu) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Both losses of each step of the next epoch, as the optimiser would see them, with nothing moved."""
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    trained.step = lambda loss_x, loss_c, scale: seen.append((loss_x, loss_c))  # type: ignore[method-assign]
    trained.fit_epoch()
    return seen


def test_epoch_zero_moves_centres_only_while_the_encoders_momentum_gathers() -> None:
    trained = method({})
    encoder, centres = [tensor.clone() for tensor in trained.encoder.params], trained.centres.detach().clone()
    trained.fit_epoch()
    assert all(torch.equal(*pair) for pair in zip(encoder, trained.encoder.params, strict=True))
    assert not torch.equal(centres, trained.centres)
    assert any(bool(buffer.abs().sum() > 0) for buffer in trained.optimiser.buffers["momentum"])
    trained.fit_epoch()
    assert trained.optimiser.n_steps == 2 * len(trained.cuts)


@pytest.mark.parametrize("update", ["step", "epoch"])
def test_the_encoders_rate_is_that_of_the_reference_code_at_each_step_or_each_epoch(update: str) -> None:
    trained = method({"lr_update": update, "warmup_epochs": 2}, n_epochs=6)
    steps, scales = len(trained.cuts), []
    trained.step = lambda loss_x, loss_c, scale: scales.append(float(scale))  # type: ignore[method-assign]
    for _ in range(6):
        trained.fit_epoch()
    unit_steps, expected = steps if update == "step" else 1, []
    for epoch, place in itertools.product(range(6), range(steps)):
        done = (epoch - 1) * unit_steps + (place if update == "step" else 0)
        rising = max(1, done) if update == "step" else done + 1
        falling = (1 + math.cos(math.pi * (done - 2 * unit_steps) / (3 * unit_steps))) / 2
        expected.append(0.0 if epoch == 0 else rising / (2 * unit_steps) if epoch < 3 else falling)
    assert scales == pytest.approx(expected, abs=1e-6)


def test_the_two_losses_train_apart() -> None:
    trained = method({})
    trained.fit_epoch()
    loss_x, loss_c = losses_of(trained)[-1]
    encoder = trained.encoder.params
    assert torch.autograd.grad(loss_x.sum(), [trained.centres], allow_unused=True, retain_graph=True) == (None,)
    assert all(g is None for g in torch.autograd.grad(loss_c.sum(), encoder, allow_unused=True, retain_graph=True))
    assert all(g.abs().sum() > 0 for g in torch.autograd.grad(loss_x.sum(), encoder))
    assert torch.autograd.grad(loss_c.sum(), [trained.centres])[0].abs().sum() > 0


def test_the_encoder_sees_the_previous_label_and_the_centres_the_fresh_one() -> None:
    arms = [{}, {"encoder_label": "fresh"}, {"centre_label": "previous"}]
    seen = []
    for arm in arms:
        trained = method(arm)
        trained.labels.fill_(0)
        trained.fit_epoch()  # epoch 0: previous is fresh in every arm
        trained.labels.fill_(0)
        seen.append(losses_of(trained)[0])
    assert seen[1][0] != seen[0][0] and seen[1][1] == seen[0][1]
    assert seen[2][0] == seen[0][0] and seen[2][1] != seen[0][1]


def test_without_bounds_the_duals_stay_at_zero() -> None:
    bounded, free = method({"lower_bound": 0.0}), method({"constraint": "none"})
    for _ in range(3):
        bounded.fit_epoch()
        free.fit_epoch()
    rows = bounded.evaluate(True)[0], free.evaluate(True)[0]
    shared = set(rows[0]) & set(rows[1])
    assert {name: rows[0][name] for name in shared} == {name: rows[1][name] for name in shared}


def test_an_entropy_weight_of_zero_is_no_constraint() -> None:
    weighted, free = method({"constraint": "entropy", "entropy_weight": 0.0}), method({"constraint": "none"})
    for _ in range(2):
        weighted.fit_epoch()
        free.fit_epoch()
    assert torch.equal(weighted.labels, free.labels)


@pytest.mark.parametrize(
    "knobs", [{"constraint": "size", "dual_lr": 1.0}, {"constraint": "entropy", "entropy_weight": 1.0}]
)
def test_a_constraint_keeps_clusters_from_emptying(knobs: dict[str, Any]) -> None:
    alone, held = method({"constraint": "none"}, data=blobs(300)), method(knobs, data=blobs(300))
    for _ in range(4):
        alone.fit_epoch()
        held.fit_epoch()
    free, kept = alone.evaluate(False)[0], held.evaluate(False)[0]
    assert kept["diagnostic.size_entropy"] > 0.95
    assert kept["diagnostic.size_entropy"] > free["diagnostic.size_entropy"]


def test_a_closed_form_centre_moves_once_an_epoch_to_a_unit_vector() -> None:
    trained = method({"centre_rule": "closed_form"})
    start = trained.centres.detach().clone()
    rows = trained.order.permutation(120)
    trained.rates = {name: trained.column(name) for name in RATES}
    trained.sums = torch.zeros_like(start)
    trained.fit_batch(rows[:, :40], unit(start), torch.ones(1))
    assert torch.equal(trained.centres, start)
    trained.fit_epoch()
    moved = trained.centres.detach()
    assert not torch.equal(moved, start)
    torch.testing.assert_close(moved.norm(dim=2), torch.ones(1, 12))


def test_running_means_are_the_directions_of_their_epochs_points() -> None:
    trained = method({"centre_rule": "running_mean"})
    trained.fit_epoch()
    filled = (trained.sums != 0).any(2)
    torch.testing.assert_close(trained.centres.detach()[filled], unit(trained.sums)[filled])


def test_heads_have_the_sizes_that_spacing_says() -> None:
    assert [span.stop - span.start for span in method({"heads": 3, "head_spacing": 2}).spans] == [4, 12, 20]
    assert [span.stop - span.start for span in method({"heads": 2, "head_spacing": 0}).spans] == [4, 4]


def test_self_labelling_trains_the_last_epochs_and_leaves_the_labels() -> None:
    trained = method({"self_labelling": True, "self_label_share": 0.5, "self_label_batch": 60}, n_epochs=4)
    for _ in range(3):
        trained.fit_epoch()
    labels, steps = trained.labels.clone(), trained.optimiser.n_steps
    assert trained.stage is not None and trained.stage.optimiser.n_steps == 2
    trained.fit_epoch()
    assert torch.equal(labels, trained.labels)
    assert trained.optimiser.n_steps == steps and trained.stage.optimiser.n_steps == 4
    assert trained.evaluate(True)[0]["metric.loss"] > 0


def test_one_class_gives_one_cluster_and_finite_numbers() -> None:
    data = blobs(60, 1)
    trained = method({"heads": 1}, {"heads": 1, "lr": 0.1}, data=data)
    for _ in range(2):
        trained.fit_epoch()
    for row in trained.evaluate(True):
        assert row["metric.acc"] == 1.0 and all(math.isfinite(value) for value in row.values())


def test_without_a_constraint_it_collapses_on_images_and_is_recorded_so_and_with_one_it_does_not() -> None:
    whole = digits.load()
    data = Dataset("some digits", whole.inputs[:500], whole.labels[:500], 10)
    knobs = {"batch_size": 64, "temperature": 0.25, "centre_temperature": 0.7, "lr": 0.1, "centre_lr": 0.3}
    free, held = ({**knobs, "constraint": "none"}, {**knobs, "dual_lr": 0.8, "output_norm": True})
    rows = []
    for values in (free, held):
        trained = method(values, n_epochs=8, data=data)
        for _ in range(8):
            trained.fit_epoch()
        rows.append(trained.evaluate(True)[0])
    assert rows[0]["metric.collapsed"] == 1.0 and rows[0]["metric.effective_clusters"] < 2
    assert rows[1]["metric.collapsed"] == 0.0 and rows[1]["metric.effective_clusters"] > 7
