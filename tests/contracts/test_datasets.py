"""What every dataset promises, held for each one found; image sets are read from tiny files in their own formats."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from orchestrator import discovery
from orchestrator.dataset_name import LOADER
from orchestrator.errors import DataError, RequestError
from trainables.data import data_folder, image_sets
from trainables.data.dataset import Dataset

NAMES = [name for name in discovery.names("dataset") if name != LOADER]  # that one has files of the user's only
IN_DEPENDENCIES = ("digits", "gaussians", "mnist_5k")
FETCHED = [name for name in NAMES if hasattr(discovery.find("dataset", name), "absent")]
Loaded = Callable[[str], Dataset]
_KEPT: dict[str, Dataset] = {}


@pytest.fixture(name="loaded")
def loaded_once(image_sets: Path) -> Loaded:
    """Load a dataset; `image_sets` has the files of those that no dependency brings."""

    def load(name: str) -> Dataset:
        if name not in _KEPT:
            _KEPT[name] = discovery.find("dataset", name).load()
        return _KEPT[name]

    return load


def test_those_inside_dependencies_are_there_and_others_say_how_to_bring_them() -> None:
    assert set(IN_DEPENDENCIES) <= set(NAMES)
    torchvisions = {"mnist", "fashion_mnist", "cifar10", "cifar100_20", "cifar100", "stl10", "image_folder"}
    assert torchvisions | {"tiny_imagenet", "imagenet10", "imagenet_dogs"} <= set(FETCHED)
    assert not set(IN_DEPENDENCIES) & set(FETCHED)


@pytest.mark.parametrize("name", FETCHED)
def test_an_absent_dataset_is_one_line_with_the_command_that_brings_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(data_folder.VARIABLE, str(tmp_path / "nothing"))
    monkeypatch.setattr(image_sets, "PACKAGES", tmp_path / "nothing")
    monkeypatch.setitem(sys.modules, "seglearn", None)
    module = discovery.find("dataset", name)
    with pytest.raises(DataError) as caught:
        module.load()
    line = str(caught.value)
    assert line == module.absent() and "\n" not in line and name in line and "this brings" in line
    assert str(tmp_path / "nothing") in line or "pip install" in line
    assert not (tmp_path / "nothing").exists(), "asking writes nothing"


@pytest.mark.parametrize("name", NAMES)
def test_tensors_have_the_promised_types_and_shapes(name: str, loaded: Loaded) -> None:
    data = loaded(name)
    assert data.name == name
    for inputs, labels in ((data.inputs, data.labels), (data.test_inputs, data.test_labels)):
        if inputs is None:
            continue
        assert labels is not None and len(inputs) == len(labels)
        assert inputs.dtype == torch.float32 and inputs.dim() in (2, 4) and inputs.is_contiguous()
        assert labels.dtype == torch.int64 and labels.min() >= 0 and labels.max() < data.n_classes
        assert bool(torch.isfinite(inputs).all())
    assert len(data.labels.unique()) == data.n_classes


@pytest.mark.parametrize("name", NAMES)
def test_images_get_their_pixels_back_by_their_offset(name: str, loaded: Loaded) -> None:
    data = loaded(name)
    assert (data.offset is not None) == data.is_image
    for inputs in (data.inputs, data.test_inputs):
        if data.offset is not None and inputs is not None:
            pixels = inputs + data.offset
            assert float(pixels.min()) > -1e-5 and float(pixels.max()) < 1 + 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_loading_again_gives_the_same_content_and_touches_no_global_generator(name: str, loaded: Loaded) -> None:
    first = loaded(name)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    second: Dataset = discovery.find("dataset", name).load()
    assert torch.equal(torch.get_rng_state(), before)
    assert first.digest == second.digest and len(first.digest) == 20


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_centred_and_not_tiny(name: str, loaded: Loaded) -> None:
    inputs = loaded(name).inputs
    assert float(inputs.mean().abs()) < 0.05 and 0.01 < float(inputs.std()) < 10.0


@pytest.mark.parametrize("name", NAMES)
def test_probes_and_neighbours_are_fixed_and_leave_a_point_itself_out(name: str, loaded: Loaded) -> None:
    data = loaded(name)
    assert len(data.probes) == min(1000, len(data)) and len(set(data.probes.tolist())) == len(data.probes)
    assert data.neighbours.shape == (len(data.probes), min(10, len(data) - 1))
    assert not (data.neighbours == data.probes[:, None]).any()


@pytest.mark.parametrize("name", NAMES)
def test_both_protocols_see_the_same_points(name: str, loaded: Loaded) -> None:
    data = loaded(name)
    whole = data.under("whole")
    if data.test_inputs is None:
        assert len(whole.eval_labels) == len(data)
        with pytest.raises(RequestError, match="no test part"):
            data.under("split")
        return
    split = data.under("split")
    assert len(whole) == len(whole.eval_inputs) == len(split) + len(split.eval_inputs)
    assert torch.equal(whole.inputs[len(split) :], split.eval_inputs)
    assert torch.equal(whole.labels[len(split) :], split.eval_labels)


def test_references_load_views_under_both_protocols() -> None:
    view = discovery.load_dataset("digits:subset=100,imbalance=3", "whole")
    assert len(view) == 100 and view.name == "digits:subset=100,imbalance=3"
    with pytest.raises(RequestError, match="no test part"):
        discovery.load_dataset("digits", "split")
