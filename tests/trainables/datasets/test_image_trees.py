"""Tiny-ImageNet and ImageNet's subsets out of tiny files in their own layouts; STL-10's unlabelled images."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from orchestrator.errors import DataError, RequestError
from trainables.data import data_folder
from trainables.data.options import loaded
from trainables.datasets import imagenet10, imagenet_dogs, stl10, tiny_imagenet


@pytest.fixture(name="own_files")
def own_copy(image_sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "own"
    shutil.copytree(image_sets, copy)
    monkeypatch.setenv(data_folder.VARIABLE, str(copy))
    return copy


def test_tiny_imagenet_labels_its_test_part_by_its_annotations(own_files: Path) -> None:
    data = tiny_imagenet.load()
    assert (data.n_classes, data.inputs.shape) == (2, (6, 3, 64, 64))
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.test_labels is not None and data.test_labels.tolist() == [0, 1, 0, 1, 0, 1]
    place = own_files / "tiny-imagenet-200/val/val_annotations.txt"
    place.write_text(place.read_text().replace("n00000001", "n00000009"))
    with pytest.raises(DataError, match="class 'n00000009'"):
        tiny_imagenet.load()


def test_subsets_of_imagenet_have_their_classes_at_the_asked_side(own_files: Path) -> None:
    assert loaded(imagenet10.load, "", "imagenet10").inputs.shape == (20, 3, 96, 96)
    dogs = loaded(imagenet_dogs.load, "side=32", "imagenet_dogs:side=32")
    assert dogs.inputs.shape == (30, 3, 32, 32) and dogs.n_classes == 15
    assert dogs.labels.bincount().tolist() == [2] * 15
    with pytest.raises(RequestError, match="side = 0"):
        imagenet10.load(side=0)
    shutil.rmtree(own_files / "imagenet/train/n02112137")
    with pytest.raises(DataError, match="lacks n02112137 of its 15 classes"):
        imagenet_dogs.load()


def test_unlabelled_images_of_stl10_stand_beside_the_labelled_ones(own_files: Path) -> None:
    plain, data = stl10.load(), loaded(stl10.load, "unlabelled=2", "stl10:unlabelled=2")
    assert data.unlabelled is not None and data.offset is not None and plain.unlabelled is None
    raw = np.frombuffer((own_files / "stl10_binary/unlabeled_X.bin").read_bytes(), np.uint8).reshape(-1, 3, 96, 96)
    pixels = ((data.unlabelled + data.offset) * 255).round()
    assert torch.equal(pixels, torch.tensor(raw[:2].transpose(0, 1, 3, 2).copy()).float())
    assert torch.equal(data.all_inputs[: len(data)], data.inputs) and len(data.all_inputs) == len(data) + 2
    assert data.digest != plain.digest
    assert data.under("split").unlabelled is data.unlabelled
    with pytest.raises(RequestError, match="unlabelled = 9, allowed: at most the 3 there are"):
        stl10.load(unlabelled=9)


def test_standardised_pixels_scale_the_unlabelled_images_too(own_files: Path) -> None:
    data = loaded(stl10.load, "unlabelled=3,pixels=standardised", "stl10:unlabelled=3,pixels=standardised")
    assert data.unlabelled is not None and float(data.unlabelled.std()) == pytest.approx(1.0, abs=0.1)
