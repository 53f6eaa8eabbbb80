"""STL-10: 5,000 + 8,000 labelled colour images of 96x96, 10 classes, by torchvision.

Under `whole` these 13,000 images, as the papers cluster them; the 100,000 unlabelled ones are not used, but
torchvision wants their file too (the download has 2.6 GB). In memory the labelled images take 1.4 GB.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from trainables.data.image_sets import ImageSet

__all__ = ["absent", "load"]


def _read(root: Path, train: bool, download: bool) -> tuple[Tensor, Tensor]:
    from torchvision.datasets import STL10

    part = STL10(root, split="train" if train else "test", download=download)
    return torch.from_numpy(part.data).contiguous(), torch.from_numpy(part.labels)


NAMES = ("train_X", "train_y", "unlabeled_X", "test_X", "test_y")
SET = ImageSet(name="stl10", n_classes=10, read=_read, files=tuple(f"stl10_binary/{name}.bin" for name in NAMES))
load, absent = SET.load, SET.absent

if __name__ == "__main__":
    SET.bring()
