"""CIFAR-100 by its 20 coarse classes, as the papers use it: 50,000 + 10,000 colour images of 32x32, by torchvision.

torchvision's class checks the files and gives the images; the coarse labels stand in the same files, unread by it.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor

from trainables.data.image_sets import ImageSet

__all__ = ["absent", "load"]


def _read(root: Path, train: bool, download: bool) -> tuple[Tensor, Tensor]:
    from torchvision.datasets import CIFAR100

    part = CIFAR100(root, train=train, download=download)
    with (root / CIFAR100.base_folder / ("train" if train else "test")).open("rb") as file:
        labels = pickle.load(file, encoding="latin1")["coarse_labels"]  # the digest was checked by the line above
    return torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(labels)


SET = ImageSet(
    name="cifar100_20",
    n_classes=20,
    read=_read,
    files=tuple(f"cifar-100-python/{name}" for name in ("train", "test", "meta")),
)
load, absent = SET.load, SET.absent

if __name__ == "__main__":
    SET.bring()
