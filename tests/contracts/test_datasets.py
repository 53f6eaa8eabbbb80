"""What every dataset promises, held for each one found that is on this machine."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from orchestrator import discovery
from orchestrator.errors import DataError
from trainables.data import Dataset

NAMES = discovery.names("dataset")
IN_DEPENDENCIES = ("digits", "gaussians", "mnist_5k")


@cache
def loaded(name: str) -> Dataset:
    try:
        data: Dataset = discovery.find("dataset", name).load()
    except DataError as error:
        assert "\n" not in str(error) and name in str(error), "an absent dataset is one line that names it"
        pytest.skip(str(error))
    return data


def test_those_inside_dependencies_are_always_there() -> None:
    assert set(IN_DEPENDENCIES) <= set(NAMES)
    for name in IN_DEPENDENCIES:
        assert len(loaded(name)) > 0


@pytest.mark.parametrize("name", NAMES)
def test_tensors_have_the_promised_types_and_shapes(name: str) -> None:
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
def test_loading_again_gives_the_same_content_and_touches_no_global_generator(name: str) -> None:
    first = loaded(name)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    second: Dataset = discovery.find("dataset", name).load()
    assert torch.equal(torch.get_rng_state(), before)
    assert first.digest == second.digest and len(first.digest) == 20


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_centred_and_not_tiny(name: str) -> None:
    inputs = loaded(name).inputs
    assert float(inputs.mean().abs()) < 0.05 and 0.01 < float(inputs.std()) < 10.0


@pytest.mark.parametrize("name", NAMES)
def test_probes_and_neighbours_are_fixed_and_leave_a_point_itself_out(name: str) -> None:
    data = loaded(name)
    if len(data) > 20_000:
        pytest.skip("neighbours of a large dataset take seconds")
    assert len(data.probes) == min(1000, len(data)) and len(set(data.probes.tolist())) == len(data.probes)
    assert data.neighbours.shape == (len(data.probes), 10)
    assert not (data.neighbours == data.probes[:, None]).any()


def test_references_load_views_under_both_protocols() -> None:
    view = discovery.load_dataset("digits:subset=100,imbalance=3", "whole")
    assert len(view) == 100 and view.name == "digits:subset=100,imbalance=3"
    with pytest.raises(DataError, match="no test part"):
        discovery.load_dataset("digits", "split")
