"""Frozen encoders by name; nothing is loaded before features are computed."""

from __future__ import annotations

from trainables.encoders.efficientnet_lite0 import ENCODER as EFFICIENTNET_LITE0
from trainables.encoders.encoder import Encoder
from trainables.encoders.resnets import RESNET18, RESNET50

__all__ = ["ENCODERS", "Encoder"]

ENCODERS = {encoder.name: encoder for encoder in (EFFICIENTNET_LITE0, RESNET18, RESNET50)}
"""Name -> encoder, for the option `features=NAME:SIDE` of a dataset's reference."""
