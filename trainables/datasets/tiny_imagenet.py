"""Tiny-ImageNet: 100,000 + 10,000 colour images of 64x64, 200 classes; its validation part is the test part.

`tiny-imagenet-200` in the data folder, as the archive unpacks: `train/CLASS/images/*.JPEG`, and `val/images` with
`val/val_annotations.txt`. In memory the images take 5.4 GB.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from orchestrator.errors import DataError
from trainables.data.data_folder import data_folder
from trainables.data.dataset import Dataset
from trainables.data.image_files import by_class, pictures
from trainables.data.image_sets import centred

__all__ = ["absent", "load"]

NAME, FOLDER, SIDE = "tiny_imagenet", "tiny-imagenet-200", 64
URL, MD5 = f"http://cs231n.stanford.edu/{FOLDER}.zip", "90528d7ca1a48142e341f4ef8d21d0de"


def load() -> Dataset:
    """Return the images in [0, 1], minus the mean image of the train part.

    Raises:
        DataError: they are not there, a class or an image is missing, or a file is no image.
    """
    if missing := absent():
        raise DataError(missing)
    root = data_folder() / FOLDER
    classes = sorted(path.name for path in (root / "train").iterdir() if path.is_dir())
    files, labels = by_class(root / "train", classes, "images")
    test, test_labels = _annotated(root / "val", classes)
    return centred(NAME, len(classes), (pictures(files, SIDE), labels), (pictures(test, SIDE), test_labels))


def _annotated(part: Path, classes: list[str]) -> tuple[list[Path], Tensor]:
    """Return files and labels of the validation part, in the order of its annotations: a file and a class a line."""
    files, labels = [], []
    for line in filter(None, (part / "val_annotations.txt").read_text().splitlines()):
        file, name, *_ = line.split("\t")
        if name not in classes:
            raise DataError(f"dataset {NAME}: class {name!r} of {str(part)!r} is not one of the train part")
        files.append(part / "images" / file)
        labels.append(classes.index(name))
    return files, torch.tensor(labels)


def absent() -> str:
    """Return one line that says which command brings the images; empty if they are here."""
    root = data_folder() / FOLDER
    if (root / "train").is_dir() and (root / "val/val_annotations.txt").is_file():
        return ""
    return f"dataset {NAME} is not in {str(data_folder())!r}; this brings it: python -m trainables.datasets.{NAME}"


if __name__ == "__main__":
    from torchvision.datasets.utils import download_and_extract_archive

    if absent():
        download_and_extract_archive(URL, str(data_folder()), md5=MD5)
    print(f"dataset {NAME} is in {str(data_folder() / FOLDER)!r}")
