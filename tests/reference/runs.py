"""What the scripts beside this one share: a run of ours to compare with, and how numbers of it are written down.

Each script takes a clone of the authors' repository at the commit that it names, drives the authors' own modules with
the first weights, batches and views of a run of ours, and writes what they compute to `numbers/NAME.json`:

    git clone https://github.com/OWNER/NAME && git -C NAME checkout COMMIT
    python tests/reference/of_NAME.py path/to/the/clone

`test_authors.py` trains our run again and compares. None of the authors' code is kept here, only numbers.
"""

from __future__ import annotations

import json
import subprocess
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from orchestrator import discovery
from orchestrator.knobs import configured
from trainables.data.dataset import Dataset

NUMBERS = Path(__file__).parent / "numbers"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A training of ours whose numbers the authors' code computes too.

    Attributes:
        name: what is special about it.
        method: name of the method.
        knobs: its configuration; the rest are defaults.
        n_epochs: budget.
        data: reference of a dataset; `classes` keeps the points of the first classes, `points` the first of these.
        rows: column of our rows -> its value after each epoch by the authors' code.
        states: place in our state (`labels`, `optimiser.momentum_0`) -> epoch (from 1) -> what is there, as `written`.
        tolerance: relative, and absolute in units of the largest entry.
        last_tolerance: of states after the last epoch (Adam makes whole steps of the rounding of small gradients).
        seed: root seed.
    """

    name: str
    method: str
    knobs: Mapping[str, Any]
    n_epochs: int
    data: Mapping[str, Any]
    rows: dict[str, list[float]] = field(default_factory=dict)
    states: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    tolerance: float = 1e-5
    last_tolerance: float = 1e-5
    seed: int = 7

    def dataset(self) -> Dataset:
        """Return the points."""
        whole = discovery.load_dataset(self.data["reference"], "whole")
        kept = (whole.labels < self.data["classes"]).nonzero()[: self.data["points"], 0]
        return Dataset("reference", whole.inputs[kept], whole.labels[kept], self.data["classes"])

    def built(self) -> Any:
        """Return our method, untrained."""
        torch.set_num_threads(1)
        method = discovery.method(self.method)
        config = configured(method.Config, self.knobs, self.n_epochs, self.method)
        return method([config], [self.seed], self.dataset(), torch.device("cpu"))

    def told(self, epoch: int, **places: Tensor) -> None:
        """Write down what the authors' code has in a place of our state after an epoch; `__` stands for a dot."""
        for place, tensor in places.items():
            self.states.setdefault(place.replace("__", "."), {})[str(epoch)] = written(tensor)

    def weights(self, **networks: Sequence[Tensor]) -> None:
        """Write down last weights: a place of our state (`parts__encoder`) and its parameters in the order of ours."""
        for place, parameters in networks.items():
            for number, parameter in enumerate(parameters):
                self.told(self.n_epochs, **{f"{place}__param_{number}": turned(parameter)})

    def moments(self, epoch: int, slot: str, of: Any, /, **networks: Sequence[Tensor]) -> None:
        """Write down an optimiser's buffers, which hold gradients after one step: a place and its parameters."""
        names = {"momentum": "momentum_buffer", "mean": "exp_avg"}
        for place, parameters in networks.items():
            for number, parameter in enumerate(parameters):
                buffer = of.state[parameter][names[slot]]
                self.told(epoch, **{f"{place}__{slot}_{number}": turned(buffer)})

    def row(self, **columns: float) -> None:
        """Write down a row of the authors' code; `__` stands for a dot."""
        for column, value in columns.items():
            self.rows.setdefault(column.replace("__", "."), []).append(float(value))


class Encoder(nn.Module):
    """Our MLP of one normalised hidden layer as a module."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(inputs, width, bias=False), nn.BatchNorm1d(width), nn.ReLU())
        self.out = nn.Linear(width, width)
        self.rep_dim = width

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.out(self.hidden(x.flatten(1)))
        return out

    def ours(self) -> list[nn.Parameter]:
        """Return its parameters in the order of ours."""
        linear, norm = self.hidden[0], self.hidden[1]
        return [linear.weight, norm.weight, norm.bias, self.out.weight, self.out.bias]


def filled(parameters: Sequence[nn.Parameter], state: Mapping[str, Tensor]) -> list[nn.Parameter]:
    """Give parameters the values of a network's state of ours (one member), in its order; return them."""
    with torch.no_grad():
        for place, parameter in enumerate(parameters):
            value = state[f"param_{place}"][0]
            parameter.copy_(value.T if value.dim() == 2 else value)
    return list(parameters)


def turned(tensor: Tensor) -> Tensor:
    """Return a weight as ours has it."""
    return tensor.T if tensor.dim() == 2 else tensor


def written(tensor: Tensor) -> dict[str, Any]:
    """Return whole numbers in full; of others the length, the sum and 24 entries from all over."""
    flat = tensor.detach().reshape(-1)
    if not tensor.is_floating_point():
        return {"values": flat.tolist()}
    places = torch.linspace(0, len(flat) - 1, min(24, len(flat))).round().long()
    exact = flat.double()
    return {
        "norm": float(exact.norm()),
        "sum": float(exact.sum()),
        "largest": float(exact.abs().max()),
        "entries": [float(f"{value:.9g}") for value in exact[places].tolist()],
    }


def at(state: Mapping[str, Any], place: str) -> Tensor:
    """Return what lies at a dotted place of a state."""
    found: Any = state
    for name in place.split("."):
        found = found[name]
    tensor: Tensor = found
    return tensor


def cloned(owner: str, commit: str) -> Path:
    """Return the clone that the command line names, put on the path; end with one line if it is at another commit."""
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: python {sys.argv[0]} CLONE, a clone of https://github.com/{owner} at {commit}")
    clone = Path(sys.argv[1]).resolve()
    found = subprocess.run(["git", "-C", clone, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    if found.stdout.strip() != commit:
        raise SystemExit(f"{str(clone)!r} is at {found.stdout.strip() or 'no commit'}, not at {commit}")
    sys.path.insert(0, str(clone))
    return clone


def stand_in(**modules: Mapping[str, Any]) -> None:
    """Give the authors' imports modules that are absent here, or that only a GPU needs; `__` stands for a dot."""
    for name, content in modules.items():
        module = types.ModuleType(name.replace("__", "."))
        module.__dict__.update(content)
        module.__path__ = []
        sys.modules[module.__name__] = module


def without_init(clone: Path, *packages: str) -> None:
    """Have packages of the authors' imported without what their `__init__` files import (trackers, other methods)."""
    for name in packages:
        module = types.ModuleType(name)
        module.__path__ = [str(clone.joinpath(*name.split(".")))]
        sys.modules[name] = module


def on_the_cpu() -> None:
    """Have the authors' calls of `.cuda()` and their devices mean the CPU."""
    torch.Tensor.cuda = lambda self, *_, **__: self  # type: ignore[method-assign, assignment]
    torch.nn.Module.cuda = lambda self, *_, **__: self  # type: ignore[method-assign, assignment]
    for name in ("randn", "eye", "ones", "zeros", "arange", "tensor"):
        made = getattr(torch, name)

        def plain(*args: Any, made: Any = made, **words: Any) -> Tensor:
            words.pop("device", None)
            tensor: Tensor = made(*args, **words)
            return tensor

        setattr(torch, name, plain)


def keep(name: str, owner: str, commit: str, runs: Sequence[Run], differences: Sequence[str]) -> None:
    """Write the numbers of a repository."""
    content = {
        "repository": f"https://github.com/{owner}",
        "commit": commit,
        "command": f"python tests/reference/of_{name}.py CLONE",
        "torch": torch.__version__,
        "differences": list(differences),
    }
    NUMBERS.mkdir(exist_ok=True)
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()]
    lines.append('"runs": [\n' + ",\n".join(json.dumps(asdict(run)) for run in runs) + "\n]")
    (NUMBERS / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(runs)} runs in {NUMBERS / name}.json")
