"""Images in folders: listed by class, scaled by the shorter side, cut in the middle; what is no image is one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from orchestrator.errors import DataError
from trainables.data.image_files import by_class, pictures


def picture(path: Path, height: int, width: int, colour: tuple[int, int, int] = (10, 200, 30)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((height, width, 3), colour, np.uint8)).save(path)
    return path


def test_files_come_class_by_class_and_sorted(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/1.JPEG", "a/9.jpg", "a/notes.txt"):
        if name.endswith("txt"):
            (tmp_path / name).write_text("no image")
        else:
            picture(tmp_path / name, 4, 4)
    files, labels = by_class(tmp_path, ["a", "b"])
    assert [path.name for path in files] == ["9.jpg", "1.JPEG", "2.png"]
    assert labels.tolist() == [0, 1, 1]
    with pytest.raises(DataError, match=r"c' holds no images; allowed: \.jpeg, \.jpg, \.png"):
        by_class(tmp_path, ["a", "c"])


def test_the_shorter_side_is_scaled_and_the_middle_kept(tmp_path: Path) -> None:
    wide = np.zeros((8, 24, 3), np.uint8)
    wide[:, 8:16] = 255
    Image.fromarray(wide).save(tmp_path / "wide.png")
    grey = tmp_path / "grey.png"
    Image.fromarray(np.full((10, 5), 70, np.uint8)).save(grey)
    out = pictures([tmp_path / "wide.png", grey], 8)
    assert out.shape == (2, 3, 8, 8) and out.dtype == torch.uint8
    assert bool((out[0] == 255).all()) and bool((out[1] == 70).all())


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"broken\.png' is no image") as caught:
        pictures([broken], 8)
    assert "\n" not in str(caught.value)
