"""Windows of a smartwatch keep people apart, and their features say what they are named for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from orchestrator.errors import RequestError
from trainables.datasets import watch


def test_people_of_the_test_part_are_nowhere_in_the_train_part(image_sets: Path) -> None:
    data = watch.load()
    assert data.inputs.shape == (147, 96) and data.test_inputs is not None and data.test_inputs.shape == (63, 96)
    torch.testing.assert_close(data.inputs.mean(0), torch.zeros(96), atol=1e-5, rtol=0)
    torch.testing.assert_close(data.inputs.std(0, correction=0), torch.ones(96), atol=1e-4, rtol=0)
    assert data.labels.bincount().tolist() == [21] * 7


def test_as_windows_recordings_stay_what_they_are_but_for_the_scale_of_a_channel(image_sets: Path) -> None:
    data = watch.load(form="windows")
    assert data.inputs.shape == (147, 1, 100, 6) and data.test_inputs is not None and len(data.test_inputs) == 63
    torch.testing.assert_close(data.inputs.mean((0, 1, 2)), torch.zeros(6), atol=1e-5, rtol=0)
    torch.testing.assert_close(data.inputs.std((0, 1, 2), correction=0), torch.ones(6), atol=1e-4, rtol=0)
    assert torch.equal(data.labels, watch.load().labels)
    with pytest.raises(RequestError, match="form = 'sound', allowed: features, windows"):
        watch.load(form="sound")
