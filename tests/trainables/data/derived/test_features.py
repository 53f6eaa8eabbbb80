"""Features follow from dataset, encoder and size alone, are computed once, and read where the encoder is absent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from orchestrator import discovery
from orchestrator.errors import DataError, OrchestratorError
from trainables.data import data_folder
from trainables.data.dataset import Dataset
from trainables.data.derived import features as module
from trainables.data.derived.features import artifact_key, features
from trainables.datasets import digits
from trainables.encoders import ENCODERS, Encoder

SEEN: list[tuple[int, ...]] = []


def load() -> tuple[torch.nn.Module, Callable[[Tensor], Tensor]]:
    """An encoder of two features: mean brightness of the upper and of the lower half, times a colour's weight."""
    network = torch.nn.Identity()

    def encode(images: Tensor) -> Tensor:
        SEEN.append(tuple(images.shape))
        half = images.shape[2] // 2
        return torch.stack([images[:, :, :half].mean((1, 2, 3)) + 2, images[:, :, half:].mean((1, 2, 3)) + 2], 1)

    return network, encode


def absent() -> tuple[torch.nn.Module, Callable[[Tensor], Tensor]]:
    raise DataError("encoder halves is not installed")


HALVES = Encoder(
    name="halves", weights="halves-1.pth", width=2, side=32, mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0), load=load
)


@pytest.fixture(autouse=True)
def an_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENCODERS, "halves", HALVES)
    monkeypatch.setenv(data_folder.VARIABLE, str(tmp_path))
    SEEN.clear()


def some(n: int = 120) -> Dataset:
    whole = digits.load()
    return replace(
        whole,
        inputs=whole.inputs[:n],
        labels=whole.labels[:n],
        test_inputs=whole.inputs[-30:],
        test_labels=whole.labels[-30:],
    )


def test_features_are_of_the_pixels_scaled_to_the_side_and_centred_on_the_train_part() -> None:
    data = some()
    found = features(data, "halves")
    assert SEEN == [(50, 3, 32, 32), (50, 3, 32, 32), (20, 3, 32, 32), (30, 3, 32, 32)]
    assert found.inputs.shape == (120, 2) and found.test_inputs is not None and found.test_inputs.shape == (30, 2)
    assert found.inputs.dtype == torch.float32 and not found.is_image and found.offset is None
    torch.testing.assert_close(found.inputs.mean(0), torch.zeros(2), atol=1e-4, rtol=0)
    assert float(found.inputs.std()) == pytest.approx(1.0, abs=1e-3)
    assert torch.equal(found.labels, data.labels)
    top_heavy = (data.inputs + data.offset)[:, :, :4].sum((1, 2, 3)) - (data.inputs + data.offset)[:, :, 4:].sum(
        (1, 2, 3)
    )
    agreement = torch.corrcoef(torch.stack([top_heavy, found.inputs[:, 0]]))[0, 1]
    assert float(agreement) > 0.9


def test_they_are_computed_once_and_need_no_encoder_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    data = some()
    first = features(data, "halves")
    calls = len(SEEN)
    assert "features of 150 images by halves at side 32 are computed, once" in caplog.text
    monkeypatch.setitem(ENCODERS, "halves", replace(HALVES, load=absent))
    assert features(data, "halves").digest == first.digest and len(SEEN) == calls
    key = artifact_key(data.digest, HALVES, 32)
    assert [path.name for path in (tmp_path / "features").iterdir()] == [f"{key}.safetensors"]
    with pytest.raises(DataError, match="not installed"):
        features(data, "halves", 40)
    assert features(data, "halves", folder=tmp_path / "features").digest == first.digest


def test_the_key_moves_with_content_encoder_weights_and_side_and_with_nothing_else() -> None:
    data = some()
    keys = {
        artifact_key(data.digest, HALVES, 32),
        artifact_key(data.digest, HALVES, 64),
        artifact_key(some(60).digest, HALVES, 32),
        artifact_key(data.digest, replace(HALVES, weights="halves-2.pth"), 32),
        artifact_key(data.digest, replace(HALVES, name="other"), 32),
    }
    assert len(keys) == 5
    assert artifact_key(replace(data, name="renamed").under("split").digest, HALVES, 32) in keys


def test_a_reference_names_encoder_and_side_and_labels_are_given_after() -> None:
    view = discovery.load_dataset("digits:noise=class:0.5,features=halves:40,subset=100", "whole")
    assert view.inputs.shape == (100, 2) and SEEN[0] == (50, 3, 40, 40)
    assert view.given_labels is not None and view.name.startswith("digits:noise")


@pytest.mark.parametrize("asked", ["vgg", "", "halves:", "halves:8", "halves:5000", "halves:wide"])
def test_a_wrong_encoder_or_side_is_one_line(asked: str) -> None:
    with pytest.raises(OrchestratorError) as caught:
        discovery.load_dataset(f"digits:features={asked}", "whole")
    assert "\n" not in str(caught.value) and repr(asked) in str(caught.value)


def test_what_is_no_image_has_no_features() -> None:
    with pytest.raises(OrchestratorError, match="takes grey or colour images"):
        discovery.load_dataset("gaussians:features=halves", "whole")
    with pytest.raises(OrchestratorError, match="unknown encoder"):
        features(some(), "vgg")


def test_equal_images_have_features_of_zero() -> None:
    grey = Dataset("grey", torch.zeros(4, 1, 8, 8), torch.arange(4), 4, offset=torch.full((1, 8, 8), 0.5))
    assert not features(grey, "halves").inputs.any()


def test_features_that_are_not_finite_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> tuple[torch.nn.Module, Callable[[Tensor], Tensor]]:
        return torch.nn.Identity(), lambda images: torch.full((len(images), 2), torch.nan)

    monkeypatch.setitem(ENCODERS, "halves", replace(HALVES, load=broken))
    with pytest.raises(DataError, match="finite features"):
        features(some(), "halves")
    assert not list((data_folder.data_folder() / "features").glob("*")), "what is refused is not kept"


def test_the_recipe_is_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = artifact_key("content", HALVES, 32)
    monkeypatch.setattr(module, "RECIPE", module.RECIPE + 1)
    assert artifact_key("content", HALVES, 32) != before


def test_a_test_part_without_points_stays_one() -> None:
    data = some()
    assert data.test_inputs is not None and data.test_labels is not None
    found = features(replace(data, test_inputs=data.test_inputs[:0], test_labels=data.test_labels[:0]), "halves")
    assert found.test_inputs is not None and found.test_inputs.shape == (0, 2)


def test_a_dataset_of_features_says_what_was_made_once_also_in_its_views() -> None:
    view = discovery.load_dataset("digits:features=halves:40,subset=60", "whole")
    (stage,) = view.stages
    assert stage.name == "features=halves" and not stage.drawn and len(stage.key) == 20
    assert some().stages == ()
