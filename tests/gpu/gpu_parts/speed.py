"""Training steps of bundles against the same members one after another, for each network, precision and layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from gpu_parts.card import Card, SkippedError, bound
from trainables.heads.optimisers import Sgd
from trainables.networks import build
from trainables.precision import computing
from trainables.randomness import Streams

__all__ = ["speed"]

Network = tuple[str, tuple[int, ...], tuple[int, ...], int, tuple[int, ...]]
NETWORKS: dict[str, Network] = {
    "linear 784-10": ("linear", (784,), (), 250, (1, 16, 64, 256)),
    "mlp 64-64-10": ("mlp", (64,), (64,), 250, (1, 16, 64, 256)),
    "mlp 784-512-10": ("mlp", (784,), (512,), 250, (1, 16, 64, 256)),
    "cnn 28x28": ("cnn", (1, 28, 28), (), 250, (1, 16, 64, 256)),
    "vgg4 28x28": ("vgg4", (1, 28, 28), (), 250, (1, 16, 64)),
    "resnet18 32x32": ("resnet18", (3, 32, 32), (), 128, (1, 4, 16)),
}
"""name -> (network, shape of an input, hidden widths, batch, members)."""
LEAST = {("mlp 64-64-10", 64): 20.0, ("cnn 28x28", 64): 6.0, ("resnet18 32x32", 4): 1.5}
"""What must hold: so many times as fast as one after another."""
NOT_SLOWER = 0.95
WAYS = ("float32", "tf32", "bfloat16", "channels_last", "graph")


def speed(card: Card) -> dict[str, Any]:
    """Return milliseconds a step by network, members and way, ratios to one after another, and what must hold."""
    rows = []
    for name in NETWORKS:
        sizes = card.pick(NETWORKS[name][4], (1, 2))
        alone: dict[str, float] = {}
        for members in sizes:
            row: dict[str, Any] = {"network": name, "members": members}
            for way in WAYS:
                row[way] = card.tried(lambda way=way, name=name, members=members: _timed(card, name, members, way))
                seconds = row[way].get("ms")
                if members == 1 and seconds is not None:
                    alone[way] = seconds
                if seconds is not None and way in alone:
                    row[way]["over_alone"] = round(members * alone[way] / seconds, 3)
            rows.append(row)
    return {"rows": rows, "bounds": _bounds(card, rows)}


def _bounds(card: Card, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = {(row["network"], row["members"]): row["float32"].get("over_alone") for row in rows}
    if card.dry:  # what a CPU of two members says holds nothing
        found = {}
    named = [bound(f"{name}, {members} members, over alone", found.get((name, members)), least=least)
             for (name, members), least in LEAST.items()]  # fmt: skip
    together = [ratio for (_, members), ratio in found.items() if members > 1 and ratio is not None]
    return [*named, bound("the slowest bundle over alone", min(together, default=None), least=NOT_SLOWER)]


def step_of(card: Card, name: str, members: int, *, channels_last: bool = False) -> Callable[[], None]:
    """Return one training step of a bundle: forward, cross-entropy to fixed labels, backward, SGD."""
    network_name, shape, hidden, batch, _ = NETWORKS[name]
    batch = card.pick(batch, 4)
    streams = Streams(range(members), "init.encoder", card.device)
    network = build(network_name, shape, streams, out_features=10, hidden=hidden)
    optimiser = Sgd(torch.full((members,), 0.01, device=card.device))
    x = Streams(range(members), "inputs", card.device).normal(batch, *shape)
    if channels_last and len(shape) == 3:
        x = x.transpose(0, 1).flatten(1, 2).contiguous(memory_format=torch.channels_last)
        x = x.unflatten(1, (members, shape[0])).transpose(0, 1)
    labels = torch.arange(batch, device=card.device).remainder(10).expand(members, batch).unsqueeze(2)

    def step() -> None:
        loss = -network(x).float().log_softmax(2).gather(2, labels).flatten(1).mean(1)
        optimiser.step(network.params, torch.autograd.grad(loss.sum(), network.params))

    return step


def _timed(card: Card, name: str, members: int, way: str) -> dict[str, Any]:
    if way in ("tf32", "graph"):
        card.require_card()
    if way == "channels_last" and len(NETWORKS[name][1]) == 1:
        raise SkippedError("vectors")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = way == "tf32"
    step = step_of(card, name, members, channels_last=way == "channels_last")
    with computing("bfloat16" if way == "bfloat16" else "float32"):
        try:
            return {"ms": round(1e3 * card.seconds(_graphed(step) if way == "graph" else step), 5)}
        finally:
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False


def _graphed(step: Callable[[], None]) -> Callable[[], None]:
    """Return a step that replays its launches from a CUDA graph."""
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    replay: Callable[[], None] = graph.replay
    return replay
