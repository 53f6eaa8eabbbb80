"""Numbers of IIC's own loss (xu-ji/IIC) in its loop of two heads; the repository's scripts are for Python 2."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import runs
import torch
from torch import Tensor, nn

from trainables.data.augmentations import Augmentation
from trainables.randomness import Streams

OWNER, COMMIT = "xu-ji/IIC", "b7602b743552c28a4af3de238bf2539a3af0338e"
DATA = {"reference": "digits", "classes": 4, "points": 96}
WIDTH = 24
KNOBS = {
    "network": "mlp",
    "encoder_width": WIDTH,
    "view": "noise",
    "batch_size": 48,
    "sub_heads": 2,
    "overclustering": 3,
}


def their_loss(clone: Path) -> Any:
    """Return `IID_loss`, from its file alone: the package around it does not import here."""
    spec = importlib.util.spec_from_file_location("iid_losses", clone / "code/utils/cluster/IID_losses.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.IID_loss


def trained(run: runs.Run, iid_loss: Any) -> None:
    """Train as `cluster_sobel_twohead.py` does, head A and then head B in each epoch, and write down what it does."""
    ours, data = run.built(), run.dataset()
    config, state = ours.configs[0], ours.state_dict()["parts"]
    encoder = runs.Encoder(64, WIDTH)
    heads = {"main": nn.Linear(WIDTH, 2 * 4), "auxiliary": nn.Linear(WIDTH, 2 * 4 * config.overclustering)}
    weights = {"encoder": runs.filled(encoder.ours(), state["encoder"])}
    weights |= {name: runs.filled([head.weight, head.bias], state[name]) for name, head in heads.items()}
    optimiser = torch.optim.Adam([each for own in weights.values() for each in own], lr=config.lr)
    order = Streams([run.seed], "order")
    views = [Augmentation("noise", data.inputs, [run.seed], f"view.{place}") for place in range(config.pairs)]
    for epoch in range(run.n_epochs):
        for name in ("auxiliary", "main"):
            permutation, total = order.permutation(len(data)), 0.0
            for cut in ours.cuts:
                rows = permutation[:, cut]
                plain = torch.cat([data.inputs[rows][0]] * config.pairs)
                seen = torch.cat([view(data.inputs[rows], rows)[0] for view in views])
                outs = [heads[name](encoder(x)).chunk(config.sub_heads, 1) for x in (plain, seen)]
                pairs = zip(*([part.softmax(1) for part in out] for out in outs), strict=True)
                losses = [iid_loss(first, second, lamb=config.exponent)[0] for first, second in pairs]
                loss = sum(losses) / len(losses)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                total += float(loss.detach()) / len(ours.cuts)
        run.row(metric__loss=total)
        if epoch == 0:
            run.moments(1, "mean", optimiser, optimiser=weights["encoder"], main_optimiser=weights["main"])
    run.weights(**{f"parts__{name}": own for name, own in weights.items()})


def main() -> None:
    """Write the numbers."""
    iid_loss = their_loss(runs.cloned(OWNER, COMMIT))
    expanded = Tensor.expand  # they write into expanded tensors, which torch of today wants copied
    Tensor.expand = lambda self, *sizes: expanded(self, *sizes).clone()  # type: ignore[method-assign]
    arms = {"defaults": {}, "exponent": {"exponent": 1.5}}
    found = [
        runs.Run(name=name, method="iic", knobs=KNOBS | knobs, n_epochs=6, data=DATA, last_tolerance=3e-4)
        for name, knobs in arms.items()
    ]
    for run in found:
        trained(run, iid_loss)
    differences = [
        "their loss in a loop written after their script, which is for Python 2 and a GPU; a small MLP for a network",
        "torch 0.4, for which they wrote, keeps zeros as gradients of the head whose turn it is not, and Adam goes on",
        "moving it; torch of today leaves it alone, and so do we",
    ]
    runs.keep("iic", OWNER, COMMIT, found, differences)


if __name__ == "__main__":
    main()
