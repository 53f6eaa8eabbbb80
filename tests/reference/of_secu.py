"""Numbers of SeCu's own code (idstcv/SeCu): losses, labels, gradients and weights of its first 20 steps."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import runs
import torch
from torch import Tensor, nn

from trainables.data.augmentations import Augmentation
from trainables.randomness import Streams

OWNER, COMMIT = "idstcv/SeCu", "af6a9928adbe9e3c30be6397699379c28b40c687"
DATA = {"reference": "digits", "classes": 4, "points": 48}
KNOBS = {
    "network": "mlp",
    "encoder_width": 24,
    "head_width": 24,
    "output_dim": 16,
    "heads": 2,
    "view": "noise",
    "batch_size": 24,
    "temperature": 0.1,
    "centre_temperature": 0.1,
    "lr": 0.05,
    "centre_lr": 0.4,
}


class Small(nn.Module):
    """An encoder with a last layer `fc`, as SeCu wants one."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 24, bias=False), nn.BatchNorm1d(24), nn.ReLU())
        self.fc = nn.Linear(24, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.body(x))


def with_our_weights(model: Any, state: Any, heads: int) -> list[nn.Parameter]:
    """Give SeCu's model the first weights of ours; return its encoder's parameters in the order of ours."""
    body, head = model.encoder.body, model.encoder.fc
    ours = [body[1].weight, body[2].weight, body[2].bias, head[0].weight, head[1].weight, head[1].bias]
    ours += [head[3].weight, head[3].bias]
    with torch.no_grad():
        head[0].bias.zero_()  # in front of a batch norm: no part of the function
        for place, parameter in enumerate(ours):
            value = state["encoder"][f"param_{place}"][0]
            parameter.copy_(value.T if value.dim() == 2 else value)
        rows = state["centres"][0].split(model.K)
        for place in range(heads):
            getattr(model, f"center_{place}").copy_(rows[place].T)
    return ours


def model_of(config: Any, data: Any) -> Any:
    """Return SeCu's model with the settings of a configuration of ours."""
    from secu.builder import SeCu

    return SeCu(
        Small,
        [len(data.labels.unique()) * (1 + head) for head in range(config.heads)],
        dim=config.output_dim,
        num_ins=len(data),
        tx=config.temperature,
        tw=config.centre_temperature,
        alpha=config.entropy_weight * len(data),
        dual_lr=config.dual_lr,
        lratio=config.lower_bound,
        constraint=config.constraint,
    )


def trained(run: runs.Run) -> None:
    """Train SeCu's model as `main.py` of its repository does, on our batches and views, and write down what it does."""
    ours, data = run.built(), run.dataset()
    config = ours.configs[0]
    model = model_of(config, data)
    model.load_param()
    encoder = with_our_weights(model, ours.state_dict(), config.heads)
    centres = [getattr(model, f"center_{place}") for place in range(config.heads)]
    groups = [
        {"params": [*encoder, model.encoder.fc[0].bias], "lr": config.lr},
        {"params": centres, "lr": config.centre_lr},
    ]
    optimiser = torch.optim.SGD(groups, weight_decay=config.weight_decay, momentum=config.momentum)
    order = Streams([run.seed], "order")
    views = [Augmentation("noise", data.inputs, [run.seed], f"view.{which}") for which in ("first", "second")]
    asked = SimpleNamespace(secu_tau=config.label_weight)
    steps = len(ours.cuts)
    for epoch in range(run.n_epochs):
        model.train()
        previous, sums = model.get_centers(), torch.zeros(2)
        permutation = order.permutation(len(data))
        for place, cut in enumerate(ours.cuts):
            rows = permutation[:, cut]
            first, second = (view(data.inputs[rows], rows)[0] for view in views)
            optimiser.param_groups[0]["lr"] = rate(config, epoch * steps + place, steps, run.n_epochs)
            losses = model(first, second, previous, rows[0], epoch, nn.CrossEntropyLoss(), asked)
            optimiser.zero_grad()
            sum(losses).backward()
            optimiser.step()
            sums += torch.stack([loss.detach() for loss in losses])
        if config.constraint == "size":
            model.reset_count()
        x, c = (sums / steps).tolist()
        run.row(diagnostic__loss_x=x, diagnostic__loss_c=c, metric__loss=x + c)
        run.told(epoch + 1, labels=torch.stack(model.assign_labels))
        if epoch == 0:  # the buffers hold the gradients of the first steps
            for place, parameter in enumerate(encoder):
                run.told(
                    1, **{f"optimiser__momentum_{place}": runs.turned(optimiser.state[parameter]["momentum_buffer"])}
                )
            gathered = torch.cat([optimiser.state[centre]["momentum_buffer"].T for centre in centres])
            run.told(1, centre_optimiser__momentum_0=gathered)
    run.told(run.n_epochs, centres=torch.cat([centre.T for centre in centres]))
    for place, parameter in enumerate(encoder):
        run.told(run.n_epochs, **{f"encoder__param_{place}": runs.turned(parameter)})


def rate(config: Any, step: int, steps: int, n_epochs: int) -> float:
    """SeCu's own schedule."""
    import main as theirs

    scheduled = SimpleNamespace(param_groups=[{}, {}])
    asked = SimpleNamespace(epochs=n_epochs, lr=config.lr, clr=config.centre_lr)
    theirs.adjust_learning_rate(scheduled, step // steps, asked, step % steps, steps)
    return float(scheduled.param_groups[0]["lr"])


def main() -> None:
    """Write the numbers."""
    runs.cloned(OWNER, COMMIT)
    runs.on_the_cpu()
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    found = [
        runs.Run(name="size", method="secu", knobs=KNOBS, n_epochs=14, data=DATA),
        runs.Run(name="equal sizes", method="secu", knobs=KNOBS | {"lower_bound": 1.0}, n_epochs=14, data=DATA),
        runs.Run(name="entropy", method="secu", knobs=KNOBS | {"constraint": "entropy"}, n_epochs=14, data=DATA),
    ]
    for run in found:
        trained(run)
    differences = [
        "float32 here as in ours; their script trains with automatic mixed precision",
        "a linear layer in front of a batch norm has a bias there, which is no part of the function",
    ]
    runs.keep("secu", OWNER, COMMIT, found, differences)


if __name__ == "__main__":
    main()
