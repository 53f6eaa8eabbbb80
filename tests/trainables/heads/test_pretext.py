"""A pretext is trained once for all who ask for it, depends on nothing that it does not read, and learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from trainables.data import data_folder
from trainables.data.dataset import Dataset
from trainables.datasets import digits
from trainables.heads.pretext import SHARED, PretextConfig, pretrained
from trainables.precision import computing

CONFIG = PretextConfig(network="mlp", encoder_width=32, batch_size=64, view="affine", projection_dim=16, n_epochs=2)
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(data_folder.VARIABLE, str(tmp_path))
    return tmp_path


def some(n: int = 120) -> Dataset:
    whole = digits.load()
    return Dataset("some digits", whole.inputs[:n], whole.labels[:n], 10)


def test_it_is_made_once_and_then_taken_from_its_artifact(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pretrained(CONFIG, [1, 2], some(), CPU)
    assert len(list((own_folder / "pretexts").glob("*.safetensors"))) == 2
    monkeypatch.setattr("trainables.heads.pretext._trained", None)  # a second training would fail
    again = pretrained(CONFIG, [2, 1], some(), CPU)
    for one, other in zip(first.parts.params, again.parts.params, strict=True):
        assert torch.equal(one, other[[1, 0]])
    assert [stage.key for (stage,) in first.stages] == [stage.key for (stage,) in again.stages][::-1]


def test_a_member_has_the_encoder_that_it_has_alone_whatever_the_labels() -> None:
    both = pretrained(CONFIG, [1, 2], some(), CPU)
    whole = some()
    shuffled = replace(whole, labels=whole.labels.flip(0), name="other labels")  # another digest, so trained anew
    alone = pretrained(CONFIG, [2], shuffled, CPU)
    for one, other in zip(both.parts.params, alone.parts.params, strict=True):
        assert torch.equal(one[1], other[0])


def test_its_key_names_seed_settings_and_number_format() -> None:
    keys = {pretrained(CONFIG, [seed], some(), CPU).stages[0][0].key for seed in (1, SHARED)}
    keys.add(pretrained(replace(CONFIG, temperature=0.5), [1], some(), CPU).stages[0][0].key)
    with computing("bfloat16"):
        keys.add(pretrained(CONFIG, [1], some(), CPU).stages[0][0].key)
    assert len(keys) == 4
    assert all(stage.drawn for (stage,) in pretrained(CONFIG, [1], some(), CPU).stages)


def test_unlabelled_inputs_are_trained_on_too() -> None:
    whole = some(160)
    part = Dataset("part", whole.inputs[:100], whole.labels[:100], 10, unlabelled=whole.inputs[100:])
    together = pretrained(CONFIG, [1], some(160), CPU)
    apart = pretrained(CONFIG, [1], part, CPU)
    for one, other in zip(together.parts.params, apart.parts.params, strict=True):
        assert torch.equal(one, other)


def test_neighbours_of_what_it_learned_are_more_often_of_one_class_than_of_first_weights() -> None:
    data = some(500)
    shares = []
    for n_epochs in (0, 30):
        found = pretrained(replace(CONFIG, n_epochs=n_epochs, encoder_width=64), [3], data, CPU)
        rows = found.projections(data.inputs)[0]
        nearest = (rows @ rows.T).fill_diagonal_(-1.0).argmax(1)
        shares.append(float((data.labels[nearest] == data.labels).float().mean()))
    assert shares[1] > shares[0] + 0.05
    assert shares[1] > 0.85
