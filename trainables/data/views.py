"""Named views: how far each random transform goes, for vectors, grey and colour images (nothing is drawn here)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

__all__ = ["IMAGE_VIEWS", "VECTOR_VIEWS", "VIEWS", "View", "asymmetric_pair", "views_of"]


@dataclass(frozen=True, kw_only=True)
class View:
    """How far each transform goes at strength 1; 0 everywhere is the identity."""

    shift: float = 0.0
    """Largest move, as a share of the image's side; whole pixels, at least one."""
    rotation: float = 0.0
    """Largest angle in degrees."""
    crop: float = 0.0
    """Largest share of the area that a random resized crop leaves out (0.92: BYOL's window of 0.08 to 1)."""
    flip: float = 0.0
    """Probability of a horizontal flip."""
    brightness: float = 0.0
    """Largest offset, in standard deviations of the data."""
    contrast: float = 0.0
    """Largest change of the contrast's factor 1."""
    saturation: float = 0.0
    """Largest change of the saturation's factor 1 (colour images)."""
    hue: float = 0.0
    """Largest turn of the hue, as a share of the circle (colour images)."""
    grey: float = 0.0
    """Probability of dropping all colour (colour images)."""
    blur: float = 0.0
    """Probability of smoothing."""
    solarise: float = 0.0
    """Probability that values above the middle of a channel's range are reflected about it (pixels from 128 on)."""
    cutout: float = 0.0
    """Largest side of a square of zeros, as a share of the image's."""
    noise: float = 0.0
    """Standard deviation of added noise, in standard deviations of the data."""
    dropout: float = 0.0
    """Probability that an entry is set to 0."""

    @property
    def is_affine(self) -> bool:
        """Whether images are resampled."""
        return self.rotation > 0 or self.crop > 0 or self.flip > 0

    @property
    def is_toned(self) -> bool:
        """Whether brightness or contrast change."""
        return self.brightness > 0 or self.contrast > 0

    @property
    def is_coloured(self) -> bool:
        """Whether colours change."""
        return self.saturation > 0 or self.hue > 0 or self.grey > 0

    @property
    def draws_per_sample(self) -> bool:
        """Whether anything is drawn once per sample and epoch."""
        plain = self.shift > 0 or self.blur > 0
        return self.is_affine or self.is_toned or self.is_coloured or plain or self.is_late

    @property
    def is_late(self) -> bool:
        """Whether a transform needs the later draws."""
        return self.solarise > 0 or self.cutout > 0


IMAGE_VIEWS = {
    "none": View(),
    "noise": View(noise=0.3),
    "dropout": View(dropout=0.2),
    "noise_dropout": View(noise=0.3, dropout=0.2),
    "shift": View(shift=0.1),
    "shift_noise": View(shift=0.1, noise=0.3),
    "rotation": View(rotation=15.0),
    "crop": View(crop=0.5),
    "affine": View(crop=0.3, rotation=15.0, noise=0.3),
    "byol": View(crop=0.5, brightness=0.4, contrast=0.4),
    "flip_rotation_colour": View(flip=0.5, rotation=15.0, brightness=0.4, contrast=0.4),
    "strong": View(crop=0.5, rotation=30.0, brightness=0.8, contrast=0.8, solarise=0.2, cutout=0.5),
}
"""Views of grey images: but for the one that says so nothing is flipped, since a mirrored digit is another sign."""

COLOUR_VIEWS = IMAGE_VIEWS | {
    "crop": View(crop=0.8, flip=0.5),
    "byol": View(crop=0.92, flip=0.5, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, grey=0.2, blur=0.5),
    "flip_rotation_colour": View(flip=0.5, rotation=15.0, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1),
    "strong": View(
        crop=0.5,
        flip=0.5,
        rotation=30.0,
        brightness=0.8,
        contrast=0.8,
        saturation=0.8,
        solarise=0.2,
        cutout=0.5,
    ),
}
"""Views of colour images; `byol` has the ranges of ProPos' CIFAR configuration, with the blur of its larger ones.

`flip_rotation_colour` are the three transforms that paper 2301.11405 names for its networks (its angles and ranges were
*not found*: ours). `strong` stands in for SCAN's four operations of RandAugment and its cutout (no shear, posterise or
equalise here).
"""

VECTOR_VIEWS = {name: IMAGE_VIEWS[name] for name in ("none", "noise", "dropout", "noise_dropout")}
"""Views of vectors."""

VIEWS = tuple(IMAGE_VIEWS)
"""Every name, for a method's knob: `Choice(*VIEWS)`; vectors know the first few only."""

CHANGING = tuple(name for name in VIEWS if name != "none")
"""Names of views that change their input, for the condition of a knob: `when={"view": CHANGING}`."""


def views_of(shape: Sequence[int]) -> dict[str, View]:
    """Return the views by name for inputs of one shape: (d,) or (channels, height, width)."""
    if len(shape) == 1:
        return VECTOR_VIEWS
    return COLOUR_VIEWS if shape[0] == 3 else IMAGE_VIEWS


def asymmetric_pair(shape: Sequence[int], largest_crop: float) -> tuple[View, View]:
    """Return BYOL's two views: one always blurred, one seldom and, of colour images, solarised in a fifth.

    Colours change by half of what `byol` allows, as in BYOL's own recipe; vectors get noise and dropout in both.

    Args:
        shape: of one input.
        largest_crop: largest share of the area that a window leaves out.
    """
    named = views_of(shape)
    if len(shape) == 1:
        return named["noise_dropout"], named["noise_dropout"]
    byol, colour = named["byol"], shape[0] == 3
    first = replace(byol, crop=min(byol.crop, largest_crop), saturation=0.2 if colour else 0.0, blur=1.0)
    return first, replace(first, blur=0.1, solarise=0.2 if colour else 0.0)
