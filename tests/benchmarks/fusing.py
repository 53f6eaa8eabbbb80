"""Where training members together pays: networks on 8 x 8 and 28 x 28 inputs, whole epochs of methods, many members.

    python tests/benchmarks/fusing.py          # prints the tables and writes analysis/benchmarks/fusing.json
    python tests/benchmarks/fusing.py curves   # only the scaling curves, into the same file

One torch thread. A ratio is M times the time of one member alone over the time of the bundle of M; rivals alone are the
same program at M = 1 and, for networks, a torch.nn.Module with torch.optim.SGD. The three are interleaved in rounds;
the figure is the median over rounds, with quartiles. Time is CPU time of this process, so that a busy machine blurs the
figures less; at one thread it is wall time on an idle one.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from orchestrator import discovery
from orchestrator.knobs import configured
from orchestrator.provenance import machine
from trainables.heads.optimisers import Sgd
from trainables.networks import build
from trainables.randomness import Streams

TARGET = Path(__file__).parents[2] / "analysis" / "benchmarks" / "fusing.json"
MEMBERS, ROUNDS = (1, 4, 16), (5, 15)
LONG, PATIENCE = 0.04, 2.0  # seconds: of one program in a round at least; of one row about
NETWORKS: list[tuple[str, tuple[int, ...], tuple[int, ...], int]] = [
    ("linear", (784,), (), 250),
    ("mlp", (64,), (64,), 250),
    ("mlp", (784,), (64,), 250),
    ("mlp", (784,), (512,), 250),
    ("cnn", (1, 8, 8), (), 250),
    ("cnn", (1, 28, 28), (), 250),
    ("vgg4", (1, 8, 8), (), 250),
    ("vgg4", (1, 28, 28), (), 50),
]
CURVE = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Members of the curves: an MLP 64-64-10, and trials of one seed of the sweep (arms that share their batches)."""
METHODS: list[tuple[str, str, dict[str, Any]]] = [
    ("entropy", "digits", {"batch_size": 250}),
    ("hard_regularization", "digits", {"network": "linear", "batch_size": 250}),
    ("hard_regularization", "digits", {"network": "mlp", "width": 64, "output_dim": 10, "batch_size": 250}),
    (
        "hard_regularization",
        "digits",
        {"network": "mlp", "batch_size": 250, "view": "affine", "label_from": "original"},
    ),
    ("hard_regularization", "digits", {"network": "cnn", "batch_size": 250}),
]


def module(name: str, shape: tuple[int, ...], hidden: tuple[int, ...]) -> nn.Module:
    """Return torch's own network of the same layers, 10 outputs."""
    if name in ("linear", "mlp"):
        widths, layers = (shape[0], *hidden, 10), []
        for inner, outer in itertools.pairwise(widths):
            layers += [nn.Linear(inner, outer), nn.ReLU()]
        return nn.Sequential(*layers[:-1])
    side, kernel, padding = shape[1], *((5, 2 if shape[1] < 16 else 0) if name == "cnn" else (3, 1))
    channels = (1, 6, 16) if name == "cnn" else (1, 32, 32, 64, 64)
    layers = []
    for depth, (inner, outer) in enumerate(itertools.pairwise(channels)):
        layers += [nn.Conv2d(inner, outer, kernel, padding=padding, bias=False), nn.BatchNorm2d(outer), nn.ReLU()]
        side += 2 * padding - kernel + 1
        if name == "cnn" or depth % 2:
            layers.append(nn.MaxPool2d(2))
            side //= 2
    if name == "vgg4":
        layers.append(nn.AdaptiveAvgPool2d(1))
    layers += [nn.Flatten(), nn.Linear(channels[-1] * (side**2 if name == "cnn" else 1), 10)]
    return nn.Sequential(*layers)


def fused_step(
    name: str, shape: tuple[int, ...], hidden: tuple[int, ...], members: int, batch: int
) -> Callable[[], None]:
    """Return one training step of a bundle: forward, cross-entropy to fixed labels, backward, SGD."""
    network = build(name, shape, Streams(range(members), "init.encoder"), out_features=10, hidden=hidden)
    optimiser = Sgd(torch.full((members,), 0.01))
    x = Streams(range(members), "inputs").normal(batch, *shape)
    labels = torch.arange(batch).remainder(10).expand(members, batch).unsqueeze(2)

    def step() -> None:
        loss = -network(x).log_softmax(2).gather(2, labels).flatten(1).mean(1)
        optimiser.step(network.params, torch.autograd.grad(loss.sum(), network.params))

    return step


def torch_step(name: str, shape: tuple[int, ...], hidden: tuple[int, ...], batch: int) -> Callable[[], None]:
    """Return the same step as one would write it with torch alone."""
    network = module(name, shape, hidden)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
    x, labels = torch.randn(batch, *shape), torch.arange(batch).remainder(10)

    def step() -> None:
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(x), labels).backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


def cpu_seconds(step: Callable[[], None], repeats: int) -> float:
    """Return the CPU time of one call, over `repeats` calls."""
    start = time.process_time()
    for _ in range(repeats):
        step()
    return (time.process_time() - start) / repeats


def compared(programs: dict[str, Callable[[], None]], members: dict[str, int]) -> dict[str, Any]:
    """Time programs in interleaved rounds; ratios of every other to the last, a member."""
    last = list(programs)[-1]
    for step in programs.values():
        step()
    once = cpu_seconds(next(iter(programs.values())), 2)
    repeats = {name: max(1, round(LONG / max(once, 1e-6) / members[name])) for name in programs}
    round_seconds = once * sum(repeats[name] * members[name] for name in programs)
    rounds = min(max(round(PATIENCE / round_seconds), ROUNDS[0]), ROUNDS[1])
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, step in programs.items():
            times[name].append(cpu_seconds(step, repeats[name]) / members[name])
    row: dict[str, Any] = {"rounds": rounds} | {
        f"ms_{name}": round(1e3 * statistics.median(times[name]), 4) for name in programs
    }
    for name in list(programs)[:-1]:
        ratios = [one / fused for one, fused in zip(times[name], times[last], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        row[f"over_{name}"] = {"median": round(middle, 3), "quartiles": [round(low, 3), round(high, 3)]}
    return row


def network_row(name: str, shape: tuple[int, ...], hidden: tuple[int, ...], batch: int, members: int) -> dict[str, Any]:
    """Return the figures of one network at one bundle size."""
    programs = {
        "torch": torch_step(name, shape, hidden, batch),
        "alone": fused_step(name, shape, hidden, 1, batch),
        "bundle": fused_step(name, shape, hidden, members, batch),
    }
    row = compared(programs, {"torch": 1, "alone": 1, "bundle": members})
    return {"network": name, "shape": shape, "hidden": hidden, "batch": batch, "members": members, **row}


def method_row(
    name: str, dataset: str, knobs: dict[str, Any], members: int, *, one_seed: bool = False
) -> dict[str, Any]:
    """Return the figures of whole epochs (training, then evaluation) of one method at one bundle size."""
    method, data = discovery.method(name), discovery.load_dataset(dataset, "whole")

    def epochs(count: int) -> Callable[[], None]:
        seeds = [0] * count if one_seed else range(count)
        built = method([configured(method.Config, knobs, 10, name)] * count, seeds, data, torch.device("cpu"))

        def epoch() -> None:
            built.fit_epoch()
            built.evaluate(False)

        return epoch

    row = compared({"alone": epochs(1), "bundle": epochs(members)}, {"alone": 1, "bundle": members})
    return {"method": name, "dataset": dataset, "knobs": knobs, "members": members, **row}


def curves() -> list[dict[str, Any]]:
    """Return the figures of one network and one method at every number of members of CURVE."""
    rows = []
    for members in CURVE:
        rows.append(network_row("mlp", (64,), (64,), 250, members))
        show(rows[-1])
    for members in CURVE:
        rows.append(method_row("entropy", "mnist_5k", {"batch_size": 250}, members, one_seed=True))
        show(rows[-1])
    return rows


def show(row: dict[str, Any]) -> None:
    """Print one row on one line."""
    what = row.get("network") or row["method"]
    ratios = "  ".join(
        f"{name} {value['median']:.2f} [{value['quartiles'][0]:.2f}, {value['quartiles'][1]:.2f}]"
        for name, value in row.items()
        if name.startswith("over_")
    )
    detail = row.get("knobs") or (*row["shape"], *row["hidden"])
    print(
        f"{what} {detail} M {row['members']}: {ratios}  ms {row['ms_alone']:.2f} -> {row['ms_bundle']:.2f}", flush=True
    )


def main() -> None:
    """Run the tables, print them and write the JSON beside the other benchmarks."""
    torch.set_num_threads(1)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    if sys.argv[1:] == ["curves"]:
        result = json.loads(TARGET.read_text())
        result |= {"curves_load": [os.getloadavg()], "curves": curves()}
        result["curves_load"].append(os.getloadavg())
        TARGET.write_text(json.dumps(result, indent=1) + "\n")
        return
    result: dict[str, Any] = {
        "command": "python tests/benchmarks/fusing.py",
        "machine": {name: fact for name, fact in machine().items() if name != "host"},
        "torch": torch.__version__,
        "threads": 1,
        "cpu_count": os.cpu_count(),
        "mmap_threshold": os.environ.get("MALLOC_MMAP_THRESHOLD_", ""),
        "load_before": os.getloadavg(),
        "networks": [],
        "methods": [],
    }
    for name, shape, hidden, batch in NETWORKS:
        for members in MEMBERS:
            result["networks"].append(network_row(name, shape, hidden, batch, members))
            show(result["networks"][-1])
    for method, dataset, knobs in METHODS:
        for members in MEMBERS[1:]:
            result["methods"].append(method_row(method, dataset, knobs, members))
            show(result["methods"][-1])
    result["curves"] = curves()
    result["load_after"] = os.getloadavg()
    TARGET.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
