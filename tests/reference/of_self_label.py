"""Numbers of SeLa's own label assignment (yukimasano/self-label) between epochs of a linear head."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import numpy as np
import runs
import torch

from trainables.randomness import Streams

OWNER, COMMIT = "yukimasano/self-label", "3891e376a82d1e4ac6de6d39505b692b8885c971"
DATA = {"reference": "digits", "classes": 4, "points": 48}
KNOBS = {"batch_size": 24, "lr": 0.1, "solver_tolerance": 1e-6, "solver_iterations": 2000}


def their_assignment() -> Any:
    """Return `optimize_L_sk` with its stop, a tenth in the sum of all points' scales, at a ten-thousandth."""
    import sinkhornknopp

    text = inspect.getsource(sinkhornknopp.optimize_L_sk)
    assert text.count("1e-1") == 1
    space = dict(vars(sinkhornknopp))
    exec(text.replace("1e-1", "1e-4"), space)
    return space["optimize_L_sk"]


def trained(run: runs.Run, assign: Any) -> None:
    """Train a linear head on the labels that their code gives at the start of each epoch."""
    ours, data = run.built(), run.dataset()
    config, state = ours.configs[0], ours.state_dict()["head"]
    weight = state["weight"][0].clone().requires_grad_()
    bias = state["bias"][0].clone().requires_grad_()
    points, order = ours.head.inputs, Streams([run.seed], "order")
    optimiser = torch.optim.SGD([weight, bias], lr=config.lr)
    for _ in range(run.n_epochs):
        permutation, total = order.permutation(len(data))[0], 0.0
        shares = (points @ weight.T + bias).softmax(1).detach().double().numpy()
        task = SimpleNamespace(
            L=torch.zeros(1, len(data), dtype=torch.int64),
            PS=shares,
            outs=[data.n_classes],
            dtype=np.float64,
            lamb=config.sharpness,
            dev="cpu",
        )
        assign(task)
        for cut in ours.cuts:
            rows = permutation[cut]
            cross = torch.nn.functional.cross_entropy(points[rows] @ weight.T + bias, task.L[0, rows])
            optimiser.zero_grad()
            (cross + config.norm_weight * weight.square().sum()).backward()
            optimiser.step()
            total += float(cross.detach()) / len(ours.cuts)
        run.row(metric__loss=total + config.norm_weight * float(weight.detach().square().sum()))
    run.told(run.n_epochs, head__weight=weight, head__bias=bias)


def main() -> None:
    """Write the numbers."""
    runs.cloned(OWNER, COMMIT)
    runs.stand_in(util={"py_softmax": None, "MovingAverage": None}, multigpu=dict.fromkeys(
        ("gpu_mul_Ax", "gpu_mul_xA", "aggreg_multi_gpu", "gpu_mul_AB")))  # fmt: skip
    assign = their_assignment()
    found = [
        runs.Run(name=f"lambda {value}", method="sela", knobs={**KNOBS, "sharpness": value}, n_epochs=12, data=DATA)
        for value in (5.0, 10.0)
    ]
    for run in found:
        trained(run, assign)
    differences = [
        "their Sinkhorn stops when scales of points move by a tenth in all, ours when class sizes are off by a share;",
        "both are run to convergence here, theirs in float64",
        "a linear head and plain descent, as paper 2301.11405 runs it, instead of their network and schedule of labels",
    ]
    runs.keep("self_label", OWNER, COMMIT, found, differences)


if __name__ == "__main__":
    main()
