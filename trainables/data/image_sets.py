"""Image sets that torchvision knows: found in the data folder or in a system package, fetched on demand, never unasked.

A dataset's file says how torchvision reads one part (`Read`); what is common to all of them is here.
"""

from __future__ import annotations

import contextlib
import gzip
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

from orchestrator.errors import DataError
from trainables.data.data_folder import data_folder
from trainables.data.dataset import Dataset

__all__ = ["ImageSet", "Read", "centred"]

Read: TypeAlias = Callable[[Path, bool, bool], tuple[Tensor, Tensor]]
"""(root folder, train or test part, download) -> images (N, C, H, W) uint8 and labels (N,), by torchvision's class."""

PACKAGES = Path("/usr/share/datasets")
"""Where Debian's packages put datasets."""


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """One of torchvision's image sets."""

    name: str
    n_classes: int
    read: Read
    files: tuple[str, ...]
    """What must lie under the root folder, in torchvision's own layout."""
    package: str = ""
    """Folder in `PACKAGES` where a system package puts the same files, gzipped, without the layout's folders."""
    install: str = ""
    """Command that installs that package."""

    def load(self) -> Dataset:
        """Return train and test part in [0, 1], minus the mean image of the train part.

        Raises:
            DataError: the set is not on this machine (the line says which command brings it), or a file is damaged.
        """
        if missing := self.absent():
            raise DataError(missing)
        with self._root() as root:
            try:
                train, test = self.read(root, True, False), self.read(root, False, False)
            except Exception as error:  # torchvision's parsers raise anything on a damaged file, assertions too
                line = " ".join(str(error).split()) or type(error).__name__
                raise DataError(
                    f"dataset {self.name}: the files under {str(root)!r} are not the known ones ({line}); "
                    f"remove them, then: {self.command}"
                ) from error
        return centred(self.name, self.n_classes, train, test)

    @property
    def command(self) -> str:
        """What brings the set."""
        return f"python -m trainables.datasets.{self.name}" + (f", or: {self.install}" if self.install else "")

    def absent(self) -> str:
        """Return one line that says which command brings the set; empty if it is here."""
        if self._is_in(data_folder()) or self._is_packaged():
            return ""
        return f"dataset {self.name} is not in {str(data_folder())!r}; this brings it: {self.command}"

    def bring(self) -> None:
        """Download the set into the data folder, unless it is on this machine; print where it is.

        Raises:
            SystemExit: the download failed; one line.
        """
        folder = data_folder()
        if self.absent():
            try:
                folder.mkdir(parents=True, exist_ok=True)
                for part in (True, False):
                    self.read(folder, part, True)
            except (RuntimeError, OSError) as error:
                raise SystemExit(f"dataset {self.name} cannot be had: {' '.join(str(error).split())}") from error
        print(f"dataset {self.name} is in {str(folder if self._is_in(folder) else PACKAGES / self.package)!r}")

    def _is_in(self, folder: Path) -> bool:
        return all((folder / file).is_file() for file in self.files)

    def _is_packaged(self) -> bool:
        return bool(self.package) and all(place.is_file() for place in self._packed())

    def _packed(self) -> list[Path]:
        """Return where a package would have each of `files`."""
        return [PACKAGES / self.package / f"{Path(file).name}.gz" for file in self.files]

    @contextlib.contextmanager
    def _root(self) -> Iterator[Path]:
        """Yield a folder in torchvision's layout: the data folder, or a package's files unpacked for the moment."""
        if self._is_in(data_folder()):
            yield data_folder()
            return
        with tempfile.TemporaryDirectory(prefix="orchestrate-data-") as folder:
            for file, packed in zip(self.files, self._packed(), strict=True):
                place = Path(folder, file)
                place.parent.mkdir(parents=True, exist_ok=True)
                with gzip.open(packed) as source, place.open("wb") as plain:
                    shutil.copyfileobj(source, plain)
            yield Path(folder)


def centred(
    name: str, n_classes: int, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor] | None = None
) -> Dataset:
    """Return uint8 images and labels as a Dataset: pixels in [0, 1] minus the mean image of the train part."""
    mean: Tensor | None = None
    parts: list[Tensor] = []
    for images, labels in (train, test) if test is not None else (train,):
        pixels = images.float().div_(255.0)
        mean = pixels.mean(0) if mean is None else mean
        parts += [pixels.sub_(mean), labels.to(torch.int64)]
    if test is None:
        return Dataset(name, parts[0], parts[1], n_classes, offset=mean)
    return Dataset(name, parts[0], parts[1], n_classes, parts[2], parts[3], offset=mean)
