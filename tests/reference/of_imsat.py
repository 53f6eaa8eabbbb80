"""Numbers of IMSAT's own functions (weihua916/imsat), which are for Chainer 1, Python 2 and a GPU.

Their text is run as it stands on a stand-in for the few functions of Chainer that it calls, made of torch's.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import runs
import torch
from torch import Tensor, nn

from trainables.randomness import Streams

OWNER, COMMIT = "weihua916/imsat", "948f25f6033cc98e20655cdad2e4b182e5a17655"
DATA = {"reference": "digits", "classes": 4, "points": 48}
WIDTH = 32
KNOBS = {"network": "mlp", "encoder_width": WIDTH, "batch_size": 24, "view": "standard"}
WANTED = ("kl", "distance", "entropy", "vat", "loss_equal")


class Variable:
    """Chainer's, over a tensor of torch's."""

    def __init__(self, data: Any) -> None:
        self.own = torch.as_tensor(data).detach().clone().requires_grad_()

    def __rmul__(self, factor: float) -> Tensor:
        return factor * self.own

    @property
    def grad(self) -> Any:
        return self.own.grad.numpy()

    @property
    def data(self) -> Tensor:
        return self.own.detach()


def tensor(value: Any) -> Tensor:
    """Return the tensor of a Variable, an array or a tensor."""
    return value.own if isinstance(value, Variable) else torch.as_tensor(value)


def functions_of(place: Path, forward: Any, draws: Any) -> dict[str, Any]:
    """Return their functions by name."""
    text = place.read_text()
    parts = {name: re.search(rf"^def {name}\(.*?(?=^\S)", text, re.M | re.S) for name in WANTED}
    chainers = SimpleNamespace(
        sum=lambda x, axis=None: x.sum() if axis is None else x.sum(axis),
        log=torch.log,
        softmax=lambda x: tensor(x).softmax(1),
        transpose=lambda x: tensor(x).t(),
    )
    arrays = SimpleNamespace(
        random=SimpleNamespace(normal=lambda size, dtype: draws().astype(dtype)), sqrt=np.sqrt, sum=np.sum
    )
    torch.Tensor.unchain_backward = lambda self: self.detach_()  # type: ignore[attr-defined]
    space: dict[str, Any] = {"F": chainers, "xp": arrays, "np": np, "Variable": Variable, "forward": forward}
    space["args"] = SimpleNamespace(prop_eps=0.25)
    for name, found in parts.items():
        assert found is not None, name
        exec(compile(found.group(0), f"{place}:{name}", "exec"), space)
    return space


class Network(nn.Module):
    """Their MLP's layers."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.linear = nn.ModuleList([nn.Linear(64, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, n_classes)])
        self.norms = nn.ModuleList([nn.BatchNorm1d(WIDTH), nn.BatchNorm1d(WIDTH)])

    def forward(self, x: Tensor) -> Tensor:
        for linear, norm in zip(self.linear, self.norms, strict=False):
            x = torch.relu(norm(linear(x)))
        out: Tensor = self.linear[2](x)
        return out

    def ours(self) -> list[nn.Parameter]:
        """Return the parameters in the order of ours."""
        inner = zip(self.linear, self.norms, strict=False)
        pairs = [each for linear, norm in inner for each in (linear.weight, norm.weight, norm.bias)]
        return [*pairs, self.linear[2].weight, self.linear[2].bias]


def trained(run: runs.Run, clone: Path) -> None:
    """Train as their script does, on our batches and draws, and write down what it does."""
    ours, data = run.built(), run.dataset()
    config, model = ours.configs[0], Network(data.n_classes)
    with torch.no_grad():
        for linear in model.linear:
            linear.bias.zero_()
    weights = runs.filled(model.ours(), ours.state_dict()["parts"]["network"])
    optimiser = torch.optim.Adam(weights, lr=config.lr)
    order, stream = Streams([run.seed], "order"), Streams([run.seed], "perturbation")
    given: list[Any] = []

    def forward(x: Any) -> Tensor:
        return model(tensor(x))

    theirs = functions_of(clone / "imsat_cluster.py", forward, given.pop)
    apart = torch.cdist(data.vectors, data.vectors).fill_diagonal_(torch.inf)
    tenth = apart.sort(1).values[:, 9]
    for _ in range(run.n_epochs):
        permutation, sums = order.permutation(len(data))[0], torch.zeros(3)
        for cut in ours.cuts:
            rows = permutation[cut]
            x = data.vectors[rows]
            given.append(stream.normal(len(rows), 1, 8, 8).reshape(len(rows), 64).numpy())
            sharp, even = theirs["loss_equal"](forward, Variable(x))
            smooth = theirs["vat"](forward, theirs["distance"], x, tenth[rows])
            optimiser.zero_grad()
            (smooth + config.information_weight * (sharp - config.spread_weight * even)).backward()
            optimiser.step()
            sums += torch.stack([smooth, sharp, even]).detach() / len(ours.cuts)
        run.row(diagnostic__self_augmentation=sums[0], diagnostic__decisiveness=sums[1], diagnostic__spread=sums[2])


def main() -> None:
    """Write the numbers."""
    clone = runs.cloned(OWNER, COMMIT)
    slow = {"lr": 1e-4}
    found = [
        runs.Run(name="small steps", method="imsat", knobs=KNOBS | slow, n_epochs=12, data=DATA),
        runs.Run(name="defaults", method="imsat", knobs=KNOBS, n_epochs=6, data=DATA, tolerance=1e-3),
    ]
    for run in found:
        trained(run, clone)
    differences = [
        "their functions on a stand-in for Chainer 1 made of torch's functions; the step is torch's Adam",
        "a linear layer in front of a batch norm has a bias there, which is no part of the function",
        "gradients begin near zero (last weights of 1e-4), and Adam makes whole steps of their rounding: at",
        "a rate of 1e-4 losses agree to 1e-5 over 24 steps, at the code's 2e-3 over 6, and over 12 to 1e-3",
        "their distances to the 10th neighbour come from a file; here they are those of the points",
    ]
    runs.keep("imsat", OWNER, COMMIT, found, differences)


if __name__ == "__main__":
    main()
