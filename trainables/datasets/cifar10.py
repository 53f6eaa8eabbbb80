"""CIFAR-10: 50,000 + 10,000 colour images of 32x32, 10 classes, by torchvision."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from trainables.data.image_sets import ImageSet

__all__ = ["absent", "load"]


def _read(root: Path, train: bool, download: bool) -> tuple[Tensor, Tensor]:
    from torchvision.datasets import CIFAR10

    part = CIFAR10(root, train=train, download=download)
    return torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(part.targets)


NAMES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch", "batches.meta")
SET = ImageSet(name="cifar10", n_classes=10, read=_read, files=tuple(f"cifar-10-batches-py/{name}" for name in NAMES))
load, absent = SET.load, SET.absent

if __name__ == "__main__":
    SET.bring()
