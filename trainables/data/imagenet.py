"""Subsets of ImageNet by their classes: the train images of a licensed copy of ILSVRC2012, read to one size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import DataError, RequestError
from trainables.data.data_folder import data_folder
from trainables.data.dataset import Dataset
from trainables.data.image_files import by_class, pictures
from trainables.data.image_sets import centred

__all__ = ["ImageNetSubset"]


@dataclass(frozen=True, kw_only=True)
class ImageNetSubset:
    """Some classes of ImageNet; all their train images are one set without a test part, as the papers cluster them."""

    name: str
    classes: Sequence[str]
    """Folders of `imagenet/train` in the data folder (WordNet's ids)."""

    def load(self, side: int = 96) -> Dataset:
        """Return the images as (N, 3, side, side) in [0, 1], minus their mean image (13,000 take 1.4 GB at 96).

        Raises:
            DataError: they are not there, or a file is no image.
            RequestError: a side below 1.
        """
        if side < 1:
            raise RequestError(f"dataset {self.name}: side = {side}, allowed: at least 1")
        if missing := self.absent():
            raise DataError(missing)
        files, labels = by_class(_root(), self.classes)
        return centred(self.name, len(self.classes), (pictures(files, side), labels))

    def absent(self, side: int = 96) -> str:
        """Return one line that says how to bring the images; empty if they are here, whatever the side."""
        del side
        missing = [name for name in self.classes if not (_root() / name).is_dir()]
        if not missing:
            return ""
        return (
            f"dataset {self.name}: {str(_root())!r} lacks {missing[0]} of its {len(self.classes)} classes; ImageNet's "
            f"terms ask for your own copy, and this brings it: ln -s ILSVRC2012/train {str(_root())!r}"
        )


def _root() -> Path:
    return data_folder() / "imagenet" / "train"
