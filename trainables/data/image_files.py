"""Images that lie as files in folders: listed by class and read to one size (which folders, datasets say)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from orchestrator.errors import DataError

__all__ = ["by_class", "pictures"]

ENDINGS = (".jpeg", ".jpg", ".png")


def by_class(root: Path, classes: Sequence[str], inside: str = "") -> tuple[list[Path], Tensor]:
    """Return the image files of root / class / inside, class by class and sorted, and their labels (N,).

    Raises:
        DataError: a class has no image file.
    """
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        folder = root / name / inside
        found = sorted(path for path in folder.glob("*") if path.suffix.lower() in ENDINGS)
        if not found:
            raise DataError(f"{str(folder)!r} holds no images; allowed: {', '.join(ENDINGS)}")
        files += found
        labels += [label] * len(found)
    return files, torch.tensor(labels)


def pictures(files: Sequence[Path], side: int) -> Tensor:
    """Return images as uint8 (N, 3, side, side): the shorter side is scaled, the middle is cut out.

    Raises:
        DataError: a file is no image; the line names it.
    """
    from PIL import Image, UnidentifiedImageError
    from torchvision.transforms.v2.functional import center_crop, pil_to_tensor, resize

    out = torch.empty(len(files), 3, side, side, dtype=torch.uint8)
    for place, path in enumerate(files):
        try:
            with Image.open(path) as image:
                colour = image.convert("RGB")
        except (OSError, UnidentifiedImageError) as error:
            raise DataError(f"{str(path)!r} is no image: {' '.join(str(error).split())}") from error
        out[place] = pil_to_tensor(center_crop(resize(colour, [side]), [side, side]))
    return out
