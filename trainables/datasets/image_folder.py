"""A folder of your own images, one folder a class, by torchvision: `image_folder:folder=flowers,side=64`.

`FOLDER/train/CLASS/*.png` and `FOLDER/test/CLASS/*.png`, or `FOLDER/CLASS/*.png` without a test part; a relative
FOLDER is one in the data folder. Images become colour images of side x side: the shorter side is scaled, the middle is
cut out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from orchestrator.errors import DataError, RequestError
from trainables.data.data_folder import data_folder
from trainables.data.dataset import Dataset
from trainables.data.image_files import colours
from trainables.data.image_sets import centred

__all__ = ["absent", "load"]

NAME = "image_folder"


def load(folder: str = NAME, side: int = 64) -> Dataset:
    """Return the images of `folder` as (N, 3, side, side) in [0, 1], minus the mean image of the train part.

    Raises:
        DataError: there is no such folder, it holds no images of two classes, a file is no image, or the classes of
            the two parts differ.
        RequestError: a side below 1.
    """
    if side < 1:
        raise RequestError(f"dataset {NAME}: side = {side}, allowed: at least 1")
    if missing := absent(folder):
        raise DataError(missing)
    root = data_folder() / folder
    split = all((root / part).is_dir() for part in ("train", "test"))
    if not split:
        classes, *train = _read(root, side)
        return centred(NAME, len(classes), (train[0], train[1]))
    (classes, *train), (others, *test) = (_read(root / part, side) for part in ("train", "test"))
    if classes != others:
        line = f"classes {', '.join(classes)} for training, {', '.join(others)} for the test"
        raise DataError(f"dataset {NAME}: {str(root)!r} has {line}; both parts need the same")
    return centred(NAME, len(classes), (train[0], train[1]), (test[0], test[1]))


def absent(folder: str = NAME) -> str:
    """Return one line that says how to bring the images; empty if the folder is there."""
    root = data_folder() / folder
    if root.is_dir():
        return ""
    return f"dataset {NAME}: there is no folder {str(root)!r}; this brings one: cp -r IMAGES_BY_CLASS {str(root)!r}"


def _read(root: Path, side: int) -> tuple[Any, Tensor, Tensor]:
    """Return class names, uint8 images (N, 3, side, side) and labels of one part."""
    from torchvision.datasets import ImageFolder
    from torchvision.transforms.v2.functional import center_crop, pil_to_tensor, resize

    def squared(image: Any) -> Tensor:
        pixels: Tensor = pil_to_tensor(center_crop(resize(image, [side]), [side, side]))
        return pixels

    try:
        part = ImageFolder(root, transform=squared, loader=colours)
        pairs = [part[place] for place in range(len(part))]
    except (OSError, ValueError) as error:  # torchvision names the class without images, PIL the file
        raise DataError(f"dataset {NAME}: {str(root)!r}: {' '.join(str(error).split())}") from error
    return part.classes, torch.stack([image for image, _ in pairs]), torch.tensor([label for _, label in pairs])
