"""Images that lie as files in folders: listed by class and read to one size (which folders, datasets say)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from orchestrator.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["ENDINGS", "by_class", "colours", "pictures"]

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
    from torchvision.transforms.v2.functional import center_crop, pil_to_tensor, resize

    out = torch.empty(len(files), 3, side, side, dtype=torch.uint8)
    for place, path in enumerate(files):
        out[place] = pil_to_tensor(center_crop(resize(colours(path), [side]), [side, side]))
    return out


def colours(path: Path | str) -> Image.Image:
    """Return an image of 8 bits a colour; of 16 bits the upper 8 are kept, which a plain conversion would cut off.

    Raises:
        DataError: the file is no image, is damaged, or holds floating-point numbers; the line names it.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if image.mode == "F":
                raise DataError(f"{str(path)!r} holds floating-point pixels; allowed: 8 or 16 bits")
            if image.mode.startswith("I"):
                return _upper_bits(image).convert("RGB")
            return image.convert("RGB")
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise DataError(f"{str(path)!r} is no image: {' '.join(str(error).split())}") from error


def _upper_bits(image: Image.Image) -> Image.Image:
    from PIL import Image

    pixels = np.asarray(image).astype(np.int64)
    if pixels.min() < 0 or pixels.max() >= 1 << 16:
        raise ValueError(f"pixels from {pixels.min()} to {pixels.max()}; allowed: 8 or 16 bits")
    return Image.fromarray((pixels >> 8).astype(np.uint8))
