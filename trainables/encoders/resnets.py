"""torchvision's ResNet-18 and ResNet-50, trained on ImageNet *with* labels; torchvision fetches and keeps the weights.

ResNet-50 has the weights of 2016 to 2021 (V1), those that were there when the papers took their features.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from orchestrator.errors import DataError
from trainables.encoders.encoder import Encoder

__all__ = ["RESNET18", "RESNET50"]

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as torchvision trained them


def _load(name: str) -> tuple[torch.nn.Module, Callable[[Tensor], Tensor]]:
    import torchvision

    try:
        network: torch.nn.Module = torchvision.models.get_model(name, weights="IMAGENET1K_V1", progress=False)
    except (OSError, RuntimeError) as error:  # no network, no room, a file cut short
        url = torchvision.models.get_weight(f"ResNet{name.removeprefix('resnet')}_Weights.IMAGENET1K_V1").url
        folder = f"{torch.hub.get_dir()}/checkpoints"
        line = " ".join(str(error).split())
        raise DataError(
            f"encoder {name} has no weights ({line}); this brings them: wget -P {folder!r} {url}"
        ) from error
    network.fc = torch.nn.Identity()
    return network, network


RESNET18 = Encoder(
    name="resnet18",
    weights="resnet18-f37072fd.pth",
    width=512,
    side=224,
    mean=MEAN,
    std=STD,
    load=partial(_load, "resnet18"),
)
RESNET50 = Encoder(
    name="resnet50",
    weights="resnet50-0676ba61.pth",
    width=2048,
    side=224,
    mean=MEAN,
    std=STD,
    load=partial(_load, "resnet50"),
)
