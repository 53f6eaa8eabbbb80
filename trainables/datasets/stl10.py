"""STL-10: 5,000 + 8,000 labelled colour images of 96x96, 10 classes, by torchvision.

Under `whole` these 13,000 images, as the papers cluster them. `stl10:unlabelled=100000` has the unlabelled ones beside
(or the first so many of them): pretraining and first stages take them. In memory the labelled images take 1.4 GB, the
others 11 GB; the download has 2.6 GB.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from orchestrator.errors import RequestError
from trainables.data.data_folder import data_folder
from trainables.data.dataset import Dataset
from trainables.data.image_sets import ImageSet

__all__ = ["absent", "load"]


def _read(root: Path, train: bool, download: bool) -> tuple[Tensor, Tensor]:
    from torchvision.datasets import STL10

    part = STL10(root, split="train" if train else "test", download=download)
    return torch.from_numpy(part.data).contiguous(), torch.from_numpy(part.labels)


UNLABELLED = "stl10_binary/unlabeled_X.bin"
NAMES = ("train_X", "train_y", "unlabeled_X", "test_X", "test_y")
SET = ImageSet(name="stl10", n_classes=10, read=_read, files=tuple(f"stl10_binary/{name}.bin" for name in NAMES))
absent = SET.absent


def load(unlabelled: int = 0) -> Dataset:
    """Return the labelled images in [0, 1], minus the mean image of the train part, and so many unlabelled ones.

    Raises:
        DataError: the set is not on this machine, or a file is damaged.
        RequestError: there are not so many unlabelled images.
    """
    data = SET.load()
    if not unlabelled or data.offset is None:
        return data
    pixels = np.memmap(data_folder() / UNLABELLED, dtype=np.uint8, mode="r").reshape(-1, 3, 96, 96)
    if unlabelled > len(pixels):
        raise RequestError(f"dataset stl10: unlabelled = {unlabelled}, allowed: at most the {len(pixels)} there are")
    columns_first = torch.from_numpy(np.array(pixels[:unlabelled]))
    rows = columns_first.transpose(2, 3).float().div_(255.0)
    return replace(data, unlabelled=rows.sub_(data.offset).contiguous())


if __name__ == "__main__":
    SET.bring()
