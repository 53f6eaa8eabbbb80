"""Numbers of SCAN's own losses (wvangansbeke/Unsupervised-Classification) in its loops of stages 2 and 3."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import runs
import torch
from torch import nn

from trainables.data.augmentations import Augmentation
from trainables.randomness import Streams

OWNER, COMMIT = "wvangansbeke/Unsupervised-Classification", "952ec31eee2c38e7233d8ad3ac0de39bb031877a"
DATA = {"reference": "digits", "classes": 4, "points": 48}
WIDTH = 24
KNOBS = {
    "network": "mlp",
    "encoder_width": WIDTH,
    "pretext": "none",
    "neighbours": 5,
    "view": "noise",
    "weak_view": "none",
    "batch_size": 24,
    "self_label_batch": 24,
    "self_label_share": 0.5,
    "self_label_threshold": 0.55,
    "entropy_weight": 1.5,
    "lr": 3e-3,
}


def their_losses(clone: Path) -> Any:
    """Return their module of losses, from its file alone."""
    spec = importlib.util.spec_from_file_location("their_losses", clone / "losses/losses.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def trained(run: runs.Run, theirs: Any) -> None:
    """Train as `scan_train` and then `selflabel_train` do, on our neighbours, batches and views."""
    ours, data = run.built(), run.dataset()
    config, state = ours.configs[0], ours.state_dict()
    encoder, head = runs.Encoder(64, WIDTH), nn.Linear(WIDTH, data.n_classes)
    weights = runs.filled(encoder.ours(), state["parts"]["encoder"])
    last = runs.filled([head.weight, head.bias], state["parts"]["heads"])
    model, near = nn.Sequential(encoder, head), state["near"][0]
    order, picks = Streams([run.seed], "order"), Streams([run.seed], "neighbours")
    views = [Augmentation("noise", data.inputs, [run.seed], f"view.{what}") for what in ("0", "1", "strong")]
    scan = theirs.SCANLoss(config.entropy_weight)
    labelling = theirs.ConfidenceBasedCE(config.self_label_threshold, True)
    optimiser = torch.optim.Adam(model.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    for epoch in range(run.n_epochs):
        clusters = epoch < ours.horizon
        if epoch == ours.horizon:
            optimiser = torch.optim.Adam(model.parameters(), lr=config.lr, weight_decay=config.weight_decay)
        drawn = picks.uniform(len(data))[0] if clusters else None
        permutation, total = order.permutation(len(data)), torch.zeros(3)
        for cut in ours.cuts:
            rows = permutation[:, cut]
            if drawn is not None:
                partners = near[rows[0], (drawn[rows[0]] * near.shape[1]).long()][None]
                anchors = model(views[0](data.inputs[rows], rows)[0])
                terms = scan(anchors, model(views[1](data.inputs[partners], partners)[0]))
            else:
                with torch.no_grad():
                    weak = model(data.inputs[rows][0])
                terms = (labelling(weak, model(views[2](data.inputs[rows], rows)[0])), torch.zeros(()), torch.zeros(()))
            optimiser.zero_grad()
            terms[0].backward()
            optimiser.step()
            total += torch.stack([term.detach() for term in terms]) / len(ours.cuts)
        run.row(metric__loss=total[0], diagnostic__consistency=total[1], diagnostic__entropy=total[2])
        if epoch == 0:
            run.moments(1, "mean", optimiser, optimiser=[*weights, *last])
    run.weights(parts__encoder=weights, parts__heads=last)


def main() -> None:
    """Write the numbers."""
    theirs = their_losses(runs.cloned(OWNER, COMMIT))
    runs.on_the_cpu()
    found = [
        runs.Run(
            name="clustering, then labels", method="scan", knobs=KNOBS, n_epochs=20, data=DATA, last_tolerance=2e-4
        )
    ]
    for run in found:
        trained(run, theirs)
    differences = [
        "a small MLP on inputs as they are instead of a ResNet-18 after SimCLR; neighbours are ours",
        "their SimCLR asks the rows of the first view alone for their partners, ours those of both, as its paper does",
    ]
    runs.keep("scan", OWNER, COMMIT, found, differences)


if __name__ == "__main__":
    main()
