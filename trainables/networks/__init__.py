"""Networks over members, built by name: linear, mlp, cnn, vgg4, resnet18 and so on (no losses, no optimisers)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

from orchestrator.errors import RequestError, UnknownNameError
from trainables.networks.cnn import SmallCnn, Vgg4
from trainables.networks.mlp import Mlp
from trainables.networks.network import Chain, Init, Network, Parts, fan_in_uniform, small_normal
from trainables.networks.resnets import ResNet18, ResNet34, ResNet50
from trainables.networks.time_cnn import TimeCnn
from trainables.networks.trunk import Trunk
from trainables.randomness import Streams

__all__ = [
    "DEEP",
    "NETWORKS",
    "TRUNKS",
    "Chain",
    "Init",
    "Mlp",
    "Network",
    "Parts",
    "ResNet18",
    "ResNet34",
    "ResNet50",
    "SmallCnn",
    "TimeCnn",
    "Vgg4",
    "backbone",
    "build",
    "fan_in_uniform",
    "headed",
    "members_at_most",
    "projector",
    "small_normal",
]

Build: TypeAlias = Callable[[tuple[int, int, int], Streams], Trunk]
"""(shape of one image, initialisation streams) -> trunk."""

TRUNKS: dict[str, Build] = {
    "cnn": SmallCnn,
    "vgg4": Vgg4,
    "resnet18": ResNet18,
    "resnet34": ResNet34,
    "resnet50": ResNet50,
    "time_cnn": TimeCnn,
}
DEEP = ("mlp", *TRUNKS)
"""Names of networks with more than one layer, for the condition of a knob: `when={"network": DEEP}`."""

NETWORKS = ("linear", *DEEP)
"""Names that `build` knows, for a method's knob: `Choice(*NETWORKS)`."""


def build(
    name: str,
    shape: Sequence[int],
    streams: Streams,
    *,
    out_features: int | None = None,
    hidden: Sequence[int] = (64,),
    norm: bool = False,
) -> Network:
    """Return a network over members for inputs of one shape.

    Args:
        name: one of NETWORKS.
        shape: of one input: (d,) or (channels, height, width); linear and mlp flatten images.
        streams: `Streams(seeds, "init.<what>", device)`: one per member, with a purpose of its own per network, so
            that a network that a config lacks shifts no other's draws.
        out_features: width of the output; None: a trunk's own features, without a linear layer behind them.
        hidden: hidden widths of mlp; for the trunks, of the head behind them only when given as () or widths.
        norm: batch norm after the hidden layers of mlp (trunks always have it).

    Raises:
        UnknownNameError: no such network.
        RequestError: a convolution network for vectors or for images too small, or mlp without an output width.
    """
    if name not in NETWORKS:
        raise UnknownNameError("network", name, NETWORKS)
    if name in TRUNKS:
        trunk = _trunk(name, shape, streams)
        return trunk if out_features is None else Chain([trunk, Mlp((trunk.out_features, out_features), streams)])
    if out_features is None:
        raise RequestError(f"network {name} needs out_features: it has no features of its own")
    widths = hidden if name == "mlp" else ()
    return Mlp((math.prod(shape), *widths, out_features), streams, norm=norm)


def backbone(name: str, shape: Sequence[int], streams: Streams, width: int) -> Network:
    """Return an encoder without a head: a trunk's own features, or `width` outputs of linear or of an mlp as wide."""
    dense = name not in TRUNKS
    return build(name, shape, streams, out_features=width if dense else None, hidden=(width,), norm=True)


def headed(
    name: str, shape: Sequence[int], streams: Sequence[Streams], widths: tuple[int, int, int], *, norm_out: bool = False
) -> Network:
    """Return an encoder with a head behind it: linear, batch norm, ReLU, linear (`linear`: one layer, and no more).

    Args:
        name: one of NETWORKS.
        shape: of one input.
        streams: of the encoder and of the head; an mlp draws both from the first.
        widths: of an mlp's hidden layer, of the head's hidden layer, and of the output.
        norm_out: batch norm without scale and shift on the output.
    """
    pixels, (width, hidden, out) = math.prod(shape), widths
    if name == "linear":
        return Mlp((pixels, out), streams[0], norm_out=norm_out)
    if name == "mlp":
        return Mlp((pixels, width, hidden, out), streams[0], norm=True, norm_out=norm_out)
    trunk = build(name, shape, streams[0])
    return Chain([trunk, Mlp((trunk.out_features, hidden, out), streams[1], norm=True, norm_out=norm_out)])


def _trunk(name: str, shape: Sequence[int], streams: Streams) -> Trunk:
    if len(shape) != 3:
        raise RequestError(f"network {name} takes images (channels, height, width); this dataset holds vectors")
    channels, height, width = shape
    return TRUNKS[name]((channels, height, width), streams)


def members_at_most(name: str, shape: Sequence[int]) -> int:
    """Return how many members of this network a bundle should hold at most for inputs of one shape.

    From `analysis/benchmarks/fusing.json` (one thread): narrow linear heads and MLPs gain up to 16 members, two to
    three times the throughput; wide ones (784-512) a seventh. Convolutions take turns: the small CNN gains a sixth on
    8 x 8 images and breaks even on 28 x 28, VGG4 breaks even at best. A bundle that breaks even still saves what a
    trial costs around its training, so it is allowed, but kept small.
    """
    small = len(shape) < 3 or max(shape[1:]) <= 16
    most = {"linear": 64, "mlp": 16, "cnn": 16 if small else 4, "vgg4": 4 if small else 1}
    return most.get(name, 1)


def projector(inner: int, outer: int, streams: Streams, *, hidden: int = 4096, init: Init = fan_in_uniform) -> Mlp:
    """Return linear, batch norm, ReLU, linear: BYOL's projector, and with `init=small_normal` its predictor."""
    return Mlp((inner, hidden, outer), streams, norm=True, init=init)
