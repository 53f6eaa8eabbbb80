"""A subset of ImageNet: its classes alone, in their own order, at one size; what is missing is said in a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from orchestrator.errors import DataError, RequestError
from trainables.data import data_folder
from trainables.data.imagenet import ImageNetSubset

SHADES = {"n03": 30, "n01": 90, "n02": 210}
PAIR = ImageNetSubset(name="pair", classes=("n03", "n01"))


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two flat images a class, wider than high, each class of one shade of grey."""
    root = tmp_path / "imagenet" / "train"
    for name, shade in SHADES.items():
        (root / name).mkdir(parents=True)
        for place in range(2):
            Image.fromarray(np.full((20, 30, 3), shade, np.uint8)).save(root / name / f"{place}.png")
    monkeypatch.setenv(data_folder.VARIABLE, str(tmp_path))
    return root


@pytest.mark.usefixtures("tree")
def test_images_of_its_classes_alone_come_in_the_order_in_which_it_names_them() -> None:
    data = PAIR.load(side=16)
    assert data.name == "pair" and data.n_classes == 2 and data.test_inputs is None
    assert data.inputs.shape == (4, 3, 16, 16)
    assert data.labels.tolist() == [0, 0, 1, 1]
    assert data.offset is not None
    shades = ((data.inputs + data.offset) * 255).round().flatten(1)
    assert torch.equal(shades, torch.tensor([30.0, 30.0, 90.0, 90.0])[:, None].expand_as(shades))
    torch.testing.assert_close(data.inputs.mean(0), torch.zeros(3, 16, 16), atol=1e-6, rtol=0)


def test_a_missing_class_is_named_with_the_command_that_brings_it(tree: Path) -> None:
    assert PAIR.absent() == PAIR.absent(side=3) == ""
    (tree / "n01").rename(tree / "elsewhere")
    with pytest.raises(DataError) as caught:
        PAIR.load()
    for line in (PAIR.absent(), str(caught.value)):
        assert "lacks n01 of its 2 classes" in line and "ln -s" in line and "\n" not in line


@pytest.mark.usefixtures("tree")
def test_a_side_without_a_pixel_is_refused() -> None:
    with pytest.raises(RequestError, match="dataset pair: side = 0, allowed: at least 1"):
        PAIR.load(side=0)
