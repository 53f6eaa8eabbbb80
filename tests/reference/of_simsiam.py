"""Numbers of SimSiam's own code (facebookresearch/simsiam): its model, its loss and its schedule."""

from __future__ import annotations

import math

import runs
import torch
from torch import Tensor, nn

from trainables.data.augmentations import Augmentation
from trainables.randomness import Streams

OWNER, COMMIT = "facebookresearch/simsiam", "a7bc1772896d0dad0806c51f0bb6f3b16d290468"
DATA = {"reference": "digits", "classes": 4, "points": 48}
WIDTH = 16
KNOBS = {
    "network": "mlp",
    "encoder_width": WIDTH,
    "projection_dim": WIDTH,
    "predictor_dim": 8,
    "view": "noise",
    "batch_size": 24,
    "lr": 0.3,
    "kmeans_every": 50,
    "kmeans_restarts": 1,
}


class Small(nn.Module):
    """Our MLP with a last layer `fc`, as SimSiam wants an encoder."""

    def __init__(self, num_classes: int, zero_init_residual: bool) -> None:
        super().__init__()
        del zero_init_residual
        self.body = runs.Encoder(64, WIDTH)
        self.fc: nn.Module = nn.Linear(WIDTH, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc(self.body(x))
        return out


def trained(run: runs.Run) -> None:
    """Train their model as `train` of their script does, on our batches and views, and write down what it does."""
    from simsiam.builder import SimSiam

    ours, data = run.built(), run.dataset()
    config, state = ours.configs[0], ours.state_dict()["parts"]
    model = SimSiam(Small, WIDTH, config.predictor_dim)
    head, predictor = model.encoder.fc, model.predictor
    projector = [head[0].weight, head[1].weight, head[1].bias, head[3].weight, head[4].weight, head[4].bias]
    weights = {
        "encoder": runs.filled(model.encoder.body.ours(), state["encoder"]),
        "projector": runs.filled([*projector, head[6].weight], state["projector"]),
        "predictor": runs.filled(
            [predictor[0].weight, predictor[1].weight, predictor[1].bias, predictor[3].weight, predictor[3].bias],
            state["predictor"],
        ),
    }
    rate = config.lr * config.batch_size / 256
    body = [*weights["encoder"], *weights["projector"]]
    groups = [{"params": body}, {"params": weights["predictor"]}]
    optimiser = torch.optim.SGD(groups, rate, momentum=config.momentum, weight_decay=config.weight_decay)
    order, criterion = Streams([run.seed], "order"), nn.CosineSimilarity(dim=1)
    views = [Augmentation("noise", data.inputs, [run.seed], f"view.{place}") for place in (0, 1)]
    model.train()
    for epoch in range(run.n_epochs):
        optimiser.param_groups[0]["lr"] = rate * 0.5 * (1 + math.cos(math.pi * epoch / run.n_epochs))
        permutation, total = order.permutation(len(data)), 0.0
        for cut in ours.cuts:
            rows = permutation[:, cut]
            p1, p2, z1, z2 = model(*(view(data.inputs[rows], rows)[0] for view in views))
            loss = -(criterion(p1, z2).mean() + criterion(p2, z1).mean()) * 0.5
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) / len(ours.cuts)
        run.row(metric__loss=total)
        if epoch == 0:
            run.moments(1, "momentum", optimiser, optimiser=body, predictor_optimiser=weights["predictor"])
    run.weights(**{f"parts__{name}": own for name, own in weights.items()})


def main() -> None:
    """Write the numbers."""
    runs.cloned(OWNER, COMMIT)
    found = [runs.Run(name="defaults", method="simsiam", knobs=KNOBS, n_epochs=12, data=DATA)]
    for run in found:
        trained(run)
    differences = ["a small MLP for their ResNet; the clusters are k-means on its features, which theirs does not have"]
    runs.keep("simsiam", OWNER, COMMIT, found, differences)


if __name__ == "__main__":
    main()
