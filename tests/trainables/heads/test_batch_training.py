"""What methods that train batch by batch share: views by name, steps of an epoch, means that are logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from trainables.data.dataset import Dataset
from trainables.heads.batch_training import BatchConfig, BatchTraining, Terms
from trainables.networks import Mlp, Network


@dataclass(frozen=True, kw_only=True)
class PlainConfig(BatchConfig):
    """Nothing of its own."""


class Plain(BatchTraining):
    """Pulls its outputs to zero and tells what it was given."""

    Config = PlainConfig
    logged_names = ("size",)

    def networks(self, config: BatchConfig) -> dict[str, Network]:
        self.rows_seen: list[Tensor] = []
        return {"only": Mlp((self.inputs.shape[1], 3), self.streams("only"))}

    def loss(self, rows: Tensor, points: Tensor, views: Sequence[Tensor]) -> Terms:
        assert torch.equal(points, self.inputs[rows]) and len(views) == 2
        self.rows_seen.append(rows)
        size = torch.full((len(self),), float(rows.shape[1]))
        return (self.parts["only"](points) ** 2).flatten(1).mean(1), (size,)

    def assigned(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        return self.parts["only"].embed(inputs).argmax(2), None


def built(**knobs: float | int | str) -> Plain:
    points = torch.randn(70, 5, generator=torch.Generator().manual_seed(0))
    data = Dataset("made", points, torch.arange(70) % 3, 3)
    config = PlainConfig(n_epochs=2, batch_size=16, **knobs)  # type: ignore[arg-type]
    return Plain([config, config], [1, 2], data, torch.device("cpu"))


def test_every_point_is_seen_once_an_epoch_by_every_member() -> None:
    trained = built()
    trained.fit_epoch()
    rows = torch.cat(trained.rows_seen, 1)
    assert torch.equal(rows.sort(1).values, torch.arange(70).expand(2, -1))
    assert not torch.equal(rows[0], rows[1])


def test_what_is_logged_are_means_over_the_steps() -> None:
    trained = built(lr=1e-5)
    trained.fit_epoch()
    row = trained.evaluate(True)[0]
    assert row["diagnostic.size"] == pytest.approx(70 / len(trained.cuts))
    outputs = trained.parts["only"].embed(trained.inputs)[0]
    assert row["metric.loss"] == pytest.approx(float((outputs**2).mean()), rel=0.05)


def test_vectors_get_noise_and_dropout_as_their_standard_view() -> None:
    assert {view.view.noise for view in built().views} == {0.3}
    assert {view.view.noise for view in built(view="none").views} == {0.0}


def test_weight_decay_pulls_parameters_that_have_no_gradient() -> None:
    free, held = built(), built(weight_decay=0.1)
    for trained in (free, held):
        trained.fit_epoch()
    assert not torch.equal(free.parts["only"].params[0], held.parts["only"].params[0])
