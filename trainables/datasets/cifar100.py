"""CIFAR-100 by its 100 fine classes: 50,000 + 10,000 colour images of 32x32, by torchvision."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from trainables.data.image_sets import ImageSet

__all__ = ["absent", "load"]


def _read(root: Path, train: bool, download: bool) -> tuple[Tensor, Tensor]:
    from torchvision.datasets import CIFAR100

    part = CIFAR100(root, train=train, download=download)
    return torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(part.targets)


SET = ImageSet(
    name="cifar100",
    n_classes=100,
    read=_read,
    files=tuple(f"cifar-100-python/{name}" for name in ("train", "test", "meta")),
)
load, absent = SET.load, SET.absent

if __name__ == "__main__":
    SET.bring()
