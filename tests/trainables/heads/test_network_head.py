"""Networks behind logits: steps are those of autograd, views are seen, a state goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainables.heads.network_head import NetworkHead, Shape
from trainables.networks import Mlp
from trainables.randomness import Streams

INPUTS = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
SHAPE = Shape(network="mlp", hidden=(8,), batch_norm=False, optimiser="sgd", momentum=0.0, view="none", n_views=0)
ROWS = torch.arange(40).view(1, 40)[:, :20]


def rates(n: int) -> dict[str, torch.Tensor]:
    names = ("lr", "norm_weight", "weight_decay", "init_scale", "view_strength")
    return {name: torch.full((n,), value) for name, value in zip(names, (0.1, 0.05, 0.0, 1.0, 1.0), strict=True)}


def head(seeds: list[int], view: str = "none", **changes: object) -> NetworkHead:
    known: dict[str, object] = {
        "network": "mlp", "hidden": (8,), "batch_norm": False, "optimiser": "sgd", "momentum": 0.0, "n_views": 2,
    }  # fmt: skip
    return NetworkHead(INPUTS, 4, seeds, rates(len(seeds)), Shape(view=view, **{**known, **changes}))  # type: ignore[arg-type]


def test_a_step_descends_the_loss_and_the_norm_of_the_last_layer() -> None:
    net = head([1])
    before = [part.detach().clone() for part in net.network.params]
    (logits,) = net.logits(ROWS)
    assert logits.shape == (1, 4, 20) and logits.is_contiguous()
    net.step([torch.ones_like(logits) * torch.arange(4.0).view(1, 4, 1)])
    leaves = [part.requires_grad_() for part in before]
    hidden = torch.relu(INPUTS[ROWS[0]] @ leaves[0][0] + leaves[1][0])
    outputs = hidden @ leaves[2][0] + leaves[3][0]
    loss = (outputs * torch.arange(4.0)).sum() + 0.05 * leaves[2].square().sum()
    grads = torch.autograd.grad(loss, leaves)
    for part, start, grad in zip(net.network.params, leaves, grads, strict=True):
        torch.testing.assert_close(part.detach(), start.detach() - 0.1 * grad)


def test_views_are_other_points_and_take_part_in_the_step() -> None:
    net = head([1, 2], view="noise")
    net.begin_epoch()
    clean, one, two = net.logits(ROWS.expand(2, -1))
    assert not torch.equal(clean, one) and not torch.equal(one, two)
    before = net.network.params[0].detach().clone()
    net.step([torch.zeros_like(clean), torch.ones_like(one), torch.zeros_like(two)])
    assert not torch.equal(net.network.params[0], before)


def test_norms_are_those_of_the_last_layer_and_the_first_scale_multiplies_it() -> None:
    net, wide = head([1]), head([1])
    scaled = NetworkHead(
        INPUTS, 4, [1], rates(1) | {"init_scale": torch.tensor([3.0])},
        Shape(network="mlp", hidden=(8,), batch_norm=False, optimiser="sgd", momentum=0.0, view="none", n_views=0),
    )  # fmt: skip
    torch.testing.assert_close(net.class_norms(), net.network.params[2].detach().norm(dim=1))
    torch.testing.assert_close(scaled.class_norms(), 3.0 * wide.class_norms())


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_a_kept_member_and_a_restored_state_go_on_alike(optimiser: str) -> None:
    def trained(net: NetworkHead, steps: int) -> torch.Tensor:
        for _ in range(steps):
            net.begin_epoch()
            logits = net.logits(ROWS.expand(len(net.seats.distinct), -1))
            net.step([part.softmax(1) - 0.25 for part in logits])
        return torch.cat(list(net.outputs(net.prepared(INPUTS))), 2)

    whole = head([1, 2, 1], view="noise", optimiser=optimiser, batch_norm=True)
    trained(whole, 2)
    other = head([1, 2, 1], view="noise", optimiser=optimiser, batch_norm=True)
    other.load_state_dict(whole.state_dict())
    other.keep([1])
    assert torch.equal(trained(whole, 2)[1:2], trained(other, 2))


def test_layers_before_the_last_may_move_at_a_share_of_its_rate() -> None:
    nets = [head([1]), NetworkHead(INPUTS, 4, [1], rates(1) | {"encoder_rate": torch.tensor([0.1])}, SHAPE)]
    moves = []
    for net in nets:
        before = [part.detach().clone() for part in net.network.params]
        (logits,) = net.logits(ROWS)
        net.step([torch.ones_like(logits) * torch.arange(4.0).view(1, 4, 1)])
        moves.append([part.detach() - old for part, old in zip(net.network.params, before, strict=True)])
    for place, (full, slow) in enumerate(zip(*moves, strict=True)):
        torch.testing.assert_close(slow, full * (0.1 if place < 2 else 1.0), rtol=1e-4, atol=1e-6)


def test_an_encoder_to_begin_with_stands_in_front_of_a_new_last_layer() -> None:
    encoder = Mlp((6, 5), Streams([1], "init.made"))
    net = NetworkHead(INPUTS, 4, [1], rates(1), replace(SHAPE, start=encoder))
    assert net.network.params[0] is encoder.params[0]
    (logits,) = net.logits(ROWS)
    expected = encoder(INPUTS[ROWS]) @ net.network.params[2] + net.network.params[3].unsqueeze(1)
    torch.testing.assert_close(logits, expected.detach().transpose(1, 2))
