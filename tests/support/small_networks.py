"""Small networks of every kind over members, batches for them, and plain steps of training."""

from __future__ import annotations

import torch

from trainables.networks import (
    Mlp,
    Network,
    ResNet18,
    build,
)
from trainables.randomness import Streams

SEEDS = [11, 5, 8, 3, 7]
GREY, COLOUR, WINDOW = (1, 8, 8), (3, 16, 16), (1, 100, 6)


def streams(seeds: list[int], purpose: str = "init.encoder") -> Streams:
    return Streams(seeds, purpose)


def make(kind: str, seeds: list[int]) -> Network:
    start = streams(seeds)
    if kind == "linear":
        return build("linear", (33,), start, out_features=7)
    if kind == "mlp":
        return build("mlp", (33,), start, out_features=10, hidden=(64, 33))
    if kind == "mlp_norm":
        return build("mlp", GREY, start, out_features=10, hidden=(64, 33, 16), norm=True)
    if kind == "norm_out":
        return Mlp((33, 20, 12), start, norm=True, norm_out=True)
    if kind == "resnet18":
        return ResNet18(COLOUR, start, width=4)
    if kind == "time_cnn":
        return build("time_cnn", WINDOW, start, out_features=5)
    if kind == "vgg4":
        return build("vgg4", GREY, start, out_features=10)
    return build("cnn", COLOUR if kind == "cnn_colour" else GREY, start, out_features=12)


KINDS = ["linear", "mlp", "mlp_norm", "norm_out", "cnn", "cnn_colour", "vgg4", "resnet18", "time_cnn"]
COLOURED = {"cnn_colour", "resnet18"}


def batch(kind: str, seeds: list[int], size: int = 9) -> torch.Tensor:
    shape = GREY if kind in {"cnn", "vgg4", "mlp_norm"} else COLOUR if kind in COLOURED else (33,)
    shape = WINDOW if kind == "time_cnn" else shape
    return Streams(seeds, "inputs").normal(size, *shape)


def train(network: Network, x: torch.Tensor, steps: int) -> list[torch.Tensor]:
    """Take plain gradient steps on a loss that reaches every output; return outputs and last gradients."""
    for _ in range(steps):
        out = network(x)
        loss = (torch.sin(out) + out**2).mean((1, 2))
        grads = torch.autograd.grad(loss.sum(), network.params)
        with torch.no_grad():
            for parameter, grad in zip(network.params, grads, strict=True):
                parameter.sub_(0.05 * grad)
    return [out.detach(), *grads, *network.buffers]
