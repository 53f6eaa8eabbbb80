"""Numbers of ProPos' own code (Hzzone/ProPos), PIPCDR's parent: its wrapper's first form, with and without a queue."""

from __future__ import annotations

from typing import Any

import runs
import torch
from torch import nn

from trainables.data.augmentations import Augmentation
from trainables.heads.optimisers import warmup_cosine
from trainables.randomness import Streams

OWNER, COMMIT = "Hzzone/ProPos", "cc35d8ca276aab8aa5dfb638fa15f919cf483824"
DATA = {"reference": "digits", "classes": 4, "points": 48}
WIDTH, OUT = 24, 16
KNOBS = {
    "network": "mlp",
    "encoder_width": WIDTH,
    "head_width": WIDTH,
    "output_dim": OUT,
    "view": "noise",
    "batch_size": 48,
    "neighbour_noise": 0.05,
    "cdr_weight": 1.0 / 11.0,
    "loss_scale": "added",
    "ema": 0.9,
    "ema_order": "before",
    "warmup_share": 0.0,
    "kmeans_every": 50,
    "kmeans_restarts": 2,
    "lr": 0.2,
}


def encoder() -> nn.Sequential:
    """Return our MLP as a module."""
    hidden = nn.Sequential(nn.Linear(64, WIDTH, bias=False), nn.BatchNorm1d(WIDTH), nn.ReLU())
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(WIDTH, WIDTH))


def of_projector(projector: nn.Sequential) -> list[nn.Parameter]:
    """Return its parameters as ours has them: no bias in front of the batch norm."""
    with torch.no_grad():
        projector[0].bias.zero_()
    return [projector[0].weight, projector[1].weight, projector[1].bias, projector[3].weight, projector[3].bias]


def with_our_weights(model: Any, state: Any) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Give their model the first weights of ours; return online's and the predictor's in the order of ours."""
    sides = []
    for which, body, projector in (
        ("online", model.encoder_q, model.projector_q),
        ("target", model.encoder_k, model.projector_k),
    ):
        inner = [body[1].weight, body[2].weight, body[2].bias, body[4].weight, body[4].bias]
        sides.append((which, [*inner, *of_projector(projector)]))
    sides.append(("predictor", of_projector(model.predictor)))
    with torch.no_grad():
        for which, parameters in sides:
            for place, parameter in enumerate(parameters):
                value = state[which][f"param_{place}"][0]
                parameter.copy_(value.T if value.dim() == 2 else value)
    return sides[0][1], sides[2][1]


def trained(run: runs.Run) -> None:
    """Train their model as their `train` does, on our views, noise, labels and rates, and write down what it does."""
    from models.propos.byol_wrapper import BYOLWrapper

    ours, data = run.built(), run.dataset()
    config, state = ours.configs[0], ours.state_dict()
    model = BYOLWrapper(
        encoder(),
        data.n_classes,
        WIDTH,
        config.temperature,
        hidden_size=WIDTH,
        fea_dim=OUT,
        byol_momentum=config.ema,
        shuffling_bn=False,
        latent_std=config.neighbour_noise if config.terms == "both" else 0.0,
        queue_size=config.queue_ratio * config.batch_size,
    )
    online, predictor = with_our_weights(model, state)
    if model.queue is not None:
        model.queue.zero_()  # theirs begins with random vectors that count as the first point's cluster
    model.psedo_labels = state["labels"][0]
    rate = config.lr * config.batch_size / 256
    groups = [
        {"params": [*online, model.projector_q[0].bias], "lr": rate},
        {"params": [*predictor, model.predictor[0].bias], "lr": rate},
    ]
    optimiser = torch.optim.SGD(groups, lr=rate, momentum=config.momentum, weight_decay=config.weight_decay)
    order, draws = Streams([run.seed], "order"), Streams([run.seed], "neighbours")
    views = [Augmentation("noise", data.inputs, [run.seed], f"view.{which}") for which in ("first", "second")]
    for epoch in range(run.n_epochs):
        model.train()
        rows = order.permutation(len(data))
        first, second = (view(data.inputs[rows], rows)[0] for view in views)
        noise = iter(draws.normal(2, len(data), OUT)[0])
        torch.randn_like = lambda like, noise=noise: next(noise)  # type: ignore[assignment]
        scale = float(warmup_cosine(epoch, torch.tensor([float(run.n_epochs)]), torch.zeros(1)))
        optimiser.param_groups[0]["lr"] = rate * scale
        optimiser.param_groups[1]["lr"] = rate * scale * config.predictor_lr_factor
        alignment, scattering, _ = model(first, second, rows[0])
        weight = config.cdr_weight / (1 - config.cdr_weight) if config.terms == "both" else 0.0
        loss = alignment + weight * scattering
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        numbers = [float(number.detach()) for number in (loss, alignment, scattering)]
        run.row(metric__loss=numbers[0] + 2, diagnostic__pip=numbers[1] + 2, diagnostic__cdr=numbers[2])
        if epoch == 0:
            gradients(run, optimiser, online, predictor)
    weights(run, model, online, predictor)


def gradients(run: runs.Run, optimiser: Any, online: list[nn.Parameter], predictor: list[nn.Parameter]) -> None:
    """Write down the momentum buffers, which hold the first gradients after the first step."""
    for name, parameters in (("optimiser", online), ("predictor_optimiser", predictor)):
        for place, parameter in enumerate(parameters):
            buffer = optimiser.state[parameter]["momentum_buffer"]
            run.told(1, **{f"{name}__momentum_{place}": runs.turned(buffer)})


def weights(run: runs.Run, model: Any, online: list[nn.Parameter], predictor: list[nn.Parameter]) -> None:
    """Write down the last weights, those of the target too."""
    target = [model.encoder_k[1].weight, model.encoder_k[2].weight]
    for name, parameters in (("online", online), ("predictor", predictor), ("target", target)):
        for place, parameter in enumerate(parameters):
            run.told(run.n_epochs, **{f"{name}__param_{place}": runs.turned(parameter)})


def main() -> None:
    """Write the numbers."""
    clone = runs.cloned(OWNER, COMMIT)
    runs.on_the_cpu()
    runs.without_init(clone, "models", "models.propos", "models.moco", "utils")
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    arms = {"noise and scattering": {}, "byol": {"terms": "byol"}, "queue": {"queue_ratio": 4}}
    found = [
        runs.Run(name=name, method="pipcdr", knobs=KNOBS | knobs, n_epochs=20, data=DATA)
        for name, knobs in arms.items()
    ]
    for run in found:
        trained(run)
    differences = [
        "the rate follows our schedule: theirs divides by all epochs after taking the warm-up off, and ends at 0.6 %",
        "their first form reports -2 cos where ours has 2 - 2 cos: 2 is added here",
        "their queue begins with random vectors in the first point's cluster, here with zeros, which turn no centre",
        "their empty clusters keep a logit of -10 in the sum, ours none; no cluster is empty here",
        "k-means is ours, made once: its labels are given to their code",
        "their second form has both views in one batch of the batch norm and no queue: not compared",
    ]
    runs.keep("propos", OWNER, COMMIT, found, differences)


if __name__ == "__main__":
    main()
