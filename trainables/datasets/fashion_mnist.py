"""Fashion-MNIST: 60,000 + 10,000 grey images of 28x28, 10 kinds of clothes, by torchvision or from Debian's package."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from trainables.data.image_sets import ImageSet

__all__ = ["absent", "load"]


def _read(root: Path, train: bool, download: bool) -> tuple[Tensor, Tensor]:
    from torchvision.datasets import FashionMNIST

    part = FashionMNIST(root, train=train, download=download)
    return part.data[:, None], part.targets


SET = ImageSet(
    name="fashion_mnist",
    n_classes=10,
    read=_read,
    files=(
        "FashionMNIST/raw/train-images-idx3-ubyte",
        "FashionMNIST/raw/train-labels-idx1-ubyte",
        "FashionMNIST/raw/t10k-images-idx3-ubyte",
        "FashionMNIST/raw/t10k-labels-idx1-ubyte",
    ),
    package="fashion-mnist",
    install="apt-get install dataset-fashion-mnist",
)
load, absent = SET.load, SET.absent

if __name__ == "__main__":
    SET.bring()
