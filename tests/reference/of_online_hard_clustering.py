"""Numbers of hard regularisation's own code (Lou1sM/online_hard_clustering): its small CNN, its labels, four arms."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import runs
import torch

from trainables.randomness import Streams

OWNER, COMMIT = "Lou1sM/online_hard_clustering", "b8786b844c0f51f38108efbb4b488e7ea7f92ade"
DATA = {"reference": "mnist_5k:subset=400", "classes": 4, "points": 64}
KNOBS = {"network": "paper", "output_dim": 12, "batch_size": 32, "variance": 10.0}
ARMS = {
    "greedy": {"solver": "greedy"},
    "none": {"solver": "none"},
    "sum of squares": {"solver": "sum_of_squares", "log_determinant": True},
    "sinkhorn, argmin": {"solver": "sk_argmin_quirk"},
}
FLAGS = {"none": "no_reg", "sum of squares": "var", "sinkhorn, argmin": "sinkhorn"}
ALL_FLAGS = ("ng", "var", "kl", "sinkhorn", "no_reg", "hard_sinkhorn", "help_sinkhorn", "soft_train", "keep_scores")
ALL_FLAGS += ("var_improved", "kl_cent", "constrained_eval", "is_train_covars", "track_counts", "warm_start")


def theirs(config: Any, arm: str, n_classes: int) -> Any:
    """Return their module and its network of clusters, with the arm's flag set."""
    import train

    train.ARGS = SimpleNamespace(
        **dict.fromkeys(ALL_FLAGS, False),
        batch_size_train=config.batch_size,
        batch_size_val=1024,
        nc=n_classes,
        nz=config.output_dim,
        dataset="fashmnist",
        arch="simp",
        sigma=config.variance,
        lr=config.lr,
        temp=1.0,
        imbalance=0,
        prior=np.ones(n_classes) / n_classes,
    )
    if arm in FLAGS:
        setattr(train.ARGS, FLAGS[arm], True)
    made = train.ClusterNet(train.ARGS)
    made.prior = "uniform"  # their Sinkhorn arm asks for the word, their constructor for numbers
    return made


def trained(run: runs.Run) -> None:
    """Train their network as `train_one_epoch` does, on our batches, and write down what it does."""
    ours, data = run.built(), run.dataset()
    config, state = ours.configs[0], ours.state_dict()
    model = theirs(config, run.name, data.n_classes)
    first, norm, second, other, last = (model.net[place] for place in (0, 1, 4, 5, 9))
    encoder = [first.weight, norm.weight, norm.bias, second.weight, other.weight, other.bias, last.weight, last.bias]
    with torch.no_grad():
        for place, parameter in enumerate(encoder):
            value = state["encoder"][f"param_{place}"][0]
            parameter.copy_(value.T if value.dim() == 2 else value)
        model.centroids.copy_(state["centroids"][0])
    order = Streams([run.seed], "order")
    constant = float(model.half_log_det_inv_covars)
    model.train()
    for epoch in range(run.n_epochs):
        model.epoch_num, total, sizes = epoch, 0.0, torch.zeros(3, data.n_classes)
        model.net.train()
        permutation = order.permutation(len(data))[0]
        for cut in ours.cuts:
            rows = permutation[cut]
            model.reset_scores()
            model(data.inputs[rows])
            model.cluster_loss.backward()
            model.opt.step()
            model.ng_opt.step()
            model.opt.zero_grad()
            model.ng_opt.zero_grad()
            shift = 0.0 if run.name == "sum of squares" else constant
            total += (float(model.cluster_loss.detach()) + shift) * len(rows)
            sizes[0] += torch.bincount(model.batch_assignments, minlength=data.n_classes)
            sizes[1] += model.raw_counts
            sizes[2] += model.cluster_log_probs.detach().neg().softmax(1).sum(0)
        run.row(metric__loss=total / len(data))
        run.told(epoch + 1, sizes=sizes)
    last = run.n_epochs
    run.told(last, centroids=model.centroids.float())
    for place, parameter in enumerate(encoder):
        run.told(last, **{f"encoder__param_{place}": parameter.T if parameter.dim() == 2 else parameter})


def main() -> None:
    """Write the numbers."""
    runs.cloned(OWNER, COMMIT)
    runs.on_the_cpu()
    nothing = {"numpyify": None, "cudify": None, "label_counts": None, "get_trans_dict": None, "accuracy": None}
    nothing |= {"set_experiment_dir": None, "asMinutes": None, "scatter_clusters": None, "CifarLikeDataset": None}
    names = ("dl_utils", "dl_utils__label_funcs", "dl_utils__tensor_funcs", "dl_utils__misc", "dl_utils__torch_misc")
    runs.stand_in(**dict.fromkeys(names, nothing), cl_args={}, HAR={}, HAR__nets={"EncByLayer": None})
    found = [
        runs.Run(name=arm, method="hard_regularization", knobs=KNOBS | knobs, n_epochs=10, data=DATA)
        for arm, knobs in ARMS.items()
    ]
    for run in found:
        trained(run)
    differences = [
        "their costs, centroids and their optimiser are float64, ours float32 with prices in float64",
        "their losses hold the constant -(d / 2) ln s, taken off here but for the sum of squares, where it matters",
        "a convolution in front of a batch norm has a bias there, which is no part of the function",
    ]
    runs.keep("online_hard_clustering", OWNER, COMMIT, found, differences)


if __name__ == "__main__":
    main()
