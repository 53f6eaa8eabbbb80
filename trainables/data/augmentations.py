"""Random views of batches, per sample, drawn from each trial's own streams.

The transforms themselves are in `trainables.data.transforms`, how far they go in `trainables.data.views`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from orchestrator.errors import RequestError, UnknownNameError
from trainables.data.transforms import affine, blur, chroma, cutout, shift, solarise, tone
from trainables.data.views import View, views_of
from trainables.randomness import Streams

__all__ = ["Augmentation", "Views"]

N_DRAWS = 16
"""Uniform numbers for each sample and epoch, whatever the view: arms that differ in the view share their draws."""

N_LATE_DRAWS = 4
"""More of them, from a stream of their own, for the views that solarise or cut out."""

STREAMS = ("parameters", "entries", "late")

JITTERED, ASPECT = 0.8, math.log(4.0 / 3.0)  # share of images whose tone and colour change; window's log aspect


class Augmentation:
    """One random view of the inputs, for M members.

    Parameters of shifts, windows, tones and colours are drawn once per sample and epoch, as one (M, N, 16) block that
    a batch gathers from: members that differ in batch size or view still share them. Noise and dropout are drawn
    per step. State is that of the streams between epochs.

    Args:
        view: a View, or a name in `views_of(shape of one input)`.
        inputs: (N, d) or (N, C, H, W): all that batches are taken from.
        seeds: one root seed per member.
        purpose: name of the streams; two views of one method need two names.
        strength: (M,) or one: factor on every range and probability; 0 is the identity.

    Raises:
        UnknownNameError: no such view for inputs of this shape.
        RequestError: a negative strength.
    """

    def __init__(
        self, view: View | str, inputs: Tensor, seeds: Sequence[int], purpose: str, strength: Tensor | float = 1.0
    ) -> None:
        known = views_of(inputs.shape[1:])
        if isinstance(view, str) and view not in known:
            raise UnknownNameError(f"view of inputs of shape {tuple(inputs.shape[1:])}", view, known)
        self.view = known[view] if isinstance(view, str) else view
        self.n_samples, self.spread = len(inputs), float(inputs.std())
        self.middle = _middle(inputs) if self.view.solarise > 0 else torch.empty(0)
        self.strength = torch.as_tensor(strength, dtype=torch.float32, device=inputs.device).expand(len(seeds)).clone()
        if bool((self.strength < 0).any()):
            raise RequestError(f"augmentation strength = {float(self.strength.min()):g}; allowed is 0 or more")
        self.parameters = Streams(seeds, f"{purpose}.parameters", inputs.device)
        self.entries = Streams(seeds, f"{purpose}.entries", inputs.device)
        self.late = Streams(seeds, f"{purpose}.late", inputs.device)
        self.draws = torch.empty(0)

    def begin_epoch(self) -> None:
        """Draw the parameters of every sample for the epoch that begins; to be called before its first batch."""
        if self.view.draws_per_sample:
            self.draws = self.parameters.uniform(self.n_samples, N_DRAWS)
        if self.view.is_late:
            self.draws = torch.cat([self.draws, self.late.uniform(self.n_samples, N_LATE_DRAWS)], 2)

    def __call__(self, x: Tensor, indices: Tensor) -> Tensor:
        """Return the view of a batch.

        Args:
            x: (M, B, ...) inputs[indices].
            indices: (M, B) which samples these are.
        """
        if self.view.draws_per_sample:
            draws = self.draws.gather(1, indices[..., None].expand(-1, -1, self.draws.shape[2])).flatten(0, 1)
            strength = self.strength[:, None].expand_as(indices).reshape(-1)
            images = _transformed(self.view, x.flatten(0, 1), draws, strength, self.spread)
            if self.view.is_late:
                images = self._finished(images, draws[:, N_DRAWS:], strength)
            x = images.view_as(x)
        return self._disturbed(x)

    def _finished(self, x: Tensor, draws: Tensor, strength: Tensor) -> Tensor:
        """Solarise images (n, C, H, W) and cut squares out, by their later draws (n, 4)."""
        if self.view.solarise > 0:
            x = solarise(x, self.middle, draws[:, 0] < self.view.solarise * strength)
        if self.view.cutout > 0:
            x = cutout(x, (self.view.cutout * strength).clamp(max=1.0) * draws[:, 1], draws[:, 2:4])
        return x

    def _disturbed(self, x: Tensor) -> Tensor:
        """Add noise and drop entries, drawn for this step."""
        strength = self.strength.view(-1, *[1] * (x.dim() - 1))
        if self.view.noise > 0:
            x = torch.addcmul(x, self.entries.normal(*x.shape[1:]), strength * (self.view.noise * self.spread))
        if self.view.dropout > 0:
            x = x * (self.entries.uniform(*x.shape[1:]) >= (self.view.dropout * strength).clamp(max=1.0))
        return x

    def keep(self, members: Sequence[int]) -> None:
        """Drop all other members."""
        index = torch.as_tensor(list(members), device=self.strength.device)
        self.strength = self.strength[index]
        self.parameters.keep(members)
        self.entries.keep(members)
        self.late.keep(members)
        self.draws = self.draws[index] if self.draws.numel() else self.draws

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        """Return the states of the streams."""
        return {name: getattr(self, name).state_dict() for name in STREAMS}

    def load_state_dict(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Take up the states of the streams."""
        for name in STREAMS:
            getattr(self, name).load_state_dict(state[name])


class Views(list[Augmentation]):
    """Several views of the same inputs, each from streams of its own, as one part of a method's state."""

    def begin_epoch(self) -> None:
        """Draw the parameters of every view for the epoch that begins."""
        for view in self:
            view.begin_epoch()

    def keep(self, members: Sequence[int]) -> None:
        """Drop all other members."""
        for view in self:
            view.keep(members)

    def state_dict(self) -> dict[str, Any]:
        """Return the states by place."""
        return {str(place): view.state_dict() for place, view in enumerate(self)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the states of as many views."""
        for place, view in enumerate(self):
            view.load_state_dict(state[str(place)])


def _middle(inputs: Tensor) -> Tensor:
    """Return the middle (C, 1, 1) of each channel's range: that of pixels in [0, 1] is 1/2, wherever zero was put."""
    return ((inputs.amin((0, 2, 3)) + inputs.amax((0, 2, 3))) / 2.0).view(-1, 1, 1)


def _transformed(view: View, x: Tensor, draws: Tensor, strength: Tensor, spread: float) -> Tensor:
    """Return images (n, C, H, W) under their own draws (n, 16) in [0, 1); a transform owns its columns of them."""
    signed, likely = (draws * 2.0 - 1.0) * strength[:, None], strength.clamp(max=1.0)
    if view.shift > 0:
        rows, columns = (_pixels(view.shift * side, signed[:, place]) for place, side in enumerate(x.shape[2:]))
        x = shift(x, rows, columns)
    if view.is_affine:
        x = affine(x, *_window(view, draws, strength), signed[:, 7] * math.radians(view.rotation))
    jittered = draws[:, 8] < JITTERED
    if view.is_toned:
        brightness = torch.where(jittered, signed[:, 9] * (view.brightness * spread), 0.0)
        x = tone(x, brightness, torch.where(jittered, (1.0 + signed[:, 10] * view.contrast).clamp(min=0.0), 1.0))
    if view.is_coloured and x.shape[1] == 3:
        factor = torch.where(jittered, (1.0 + signed[:, 11] * view.saturation).clamp(min=0.0), 1.0)
        factor = factor * (draws[:, 13] >= view.grey * likely)
        x = chroma(x, factor, torch.where(jittered, signed[:, 12] * (view.hue * 2.0 * math.pi), 0.0))
    if view.blur > 0:
        x = blur(x, torch.where(draws[:, 14] < view.blur * likely, 0.25 * draws[:, 15], 0.0))
    return x


def _pixels(largest: float, signed: Tensor) -> Tensor:
    """Return whole moves, uniform over -p..p at strength 1, with p = `largest` rounded, at least 1."""
    return torch.floor(signed * (max(1, round(largest)) + 0.5) + 0.5)


def _window(view: View, draws: Tensor, strength: Tensor) -> tuple[Tensor, Tensor]:
    """Return centre (n, 2) and zoom (n, 2) of a random resized crop: area uniform, aspect log-uniform in 3/4..4/3.

    A window that an aspect would push over the edge is cut to the image, where torchvision draws again.
    """
    left_out = (view.crop * strength).clamp(max=0.95) * draws[:, 2]
    aspect = (draws[:, 3] * 2.0 - 1.0) * ASPECT * (left_out > 0)
    side = torch.sqrt(1.0 - left_out)
    zoom = torch.stack([side * torch.exp(aspect / 2), side * torch.exp(-aspect / 2)], 1).clamp(max=1.0)
    centre = (draws[:, 4:6] * 2.0 - 1.0) * (1.0 - zoom)
    mirrored = draws[:, 6] < view.flip * strength.clamp(max=1.0)
    zoom = torch.stack([torch.where(mirrored, -zoom[:, 0], zoom[:, 0]), zoom[:, 1]], 1)
    return centre, zoom
