"""Numbers of CC's own code (Yunfan-Li/Contrastive-Clustering): its network's heads and its two losses."""

from __future__ import annotations

import runs
import torch

from trainables.data.augmentations import Augmentation
from trainables.randomness import Streams

OWNER, COMMIT = "Yunfan-Li/Contrastive-Clustering", "61daba8b5fdb41eb1be7c93128cd1ed02a8e04a8"
DATA = {"reference": "digits", "classes": 4, "points": 48}
WIDTH, OUT = 24, 16
KNOBS = {
    "network": "mlp",
    "encoder_width": WIDTH,
    "projection_dim": OUT,
    "view": "noise",
    "batch_size": 24,
    "lr": 3e-3,
}


def trained(run: runs.Run) -> None:
    """Train their network as `train` of their script does, on our batches and views, and write down what it does."""
    from modules.contrastive_loss import ClusterLoss, InstanceLoss
    from modules.network import Network

    ours, data = run.built(), run.dataset()
    config, state = ours.configs[0], ours.state_dict()["parts"]
    model = Network(runs.Encoder(64, WIDTH), OUT, data.n_classes)
    heads = [[head[0].weight, head[0].bias, head[2].weight, head[2].bias] for head in
             (model.instance_projector, model.cluster_projector)]  # fmt: skip
    encoder = runs.filled(model.resnet.ours(), state["encoder"])
    instances, clusters = runs.filled(heads[0], state["instances"]), runs.filled(heads[1], state["clusters"])
    optimiser = torch.optim.Adam([*encoder, *instances, *clusters], lr=config.lr)
    order = Streams([run.seed], "order")
    views = [Augmentation("noise", data.inputs, [run.seed], f"view.{place}") for place in (0, 1)]
    of_instances = InstanceLoss(config.batch_size, config.instance_temperature, "cpu")
    of_clusters = ClusterLoss(data.n_classes, config.cluster_temperature, "cpu")
    model.train()
    for epoch in range(run.n_epochs):
        sums, permutation = torch.zeros(2), order.permutation(len(data))
        for cut in ours.cuts:
            rows = permutation[:, cut]
            z_i, z_j, c_i, c_j = model(*(view(data.inputs[rows], rows)[0] for view in views))
            losses = of_instances(z_i, z_j), of_clusters(c_i, c_j)
            optimiser.zero_grad()
            sum(losses).backward()
            optimiser.step()
            sums += torch.stack([loss.detach() for loss in losses]) / len(ours.cuts)
        run.row(metric__loss=float(sums.sum()), diagnostic__instance_loss=float(sums[0]))
        if epoch == 0:
            run.moments(1, "mean", optimiser, optimiser=[*encoder, *instances, *clusters])
    run.weights(parts__encoder=encoder, parts__instances=instances, parts__clusters=clusters)


def main() -> None:
    """Write the numbers."""
    runs.cloned(OWNER, COMMIT)
    runs.stand_in(cv2={})
    arms = {"defaults": {}, "sharper": {"instance_temperature": 0.2, "cluster_temperature": 0.5}}
    found = [
        runs.Run(name=name, method="contrastive_clustering", knobs=KNOBS | knobs, n_epochs=12, data=DATA)
        for name, knobs in arms.items()
    ]
    for run in found:
        trained(run)
    differences = ["a small MLP instead of their ResNet, whose features go into their own heads and losses"]
    runs.keep("contrastive_clustering", OWNER, COMMIT, found, differences)


if __name__ == "__main__":
    main()
