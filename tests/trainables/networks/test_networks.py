"""Networks over members: torch.nn as oracle, bits of members alone, keep, state, copies, running statistics."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from orchestrator.errors import RequestError, UnknownNameError
from trainables.method import Stateful
from trainables.networks import (
    NETWORKS,
    Chain,
    Mlp,
    Network,
    Parts,
    ResNet18,
    backbone,
    build,
    headed,
    members_at_most,
    projector,
    small_normal,
)
from trainables.randomness import Streams

SEEDS = [11, 5, 8, 3, 7]
GREY, COLOUR, WINDOW = (1, 8, 8), (3, 16, 16), (1, 100, 6)


def streams(seeds: list[int], purpose: str = "init.encoder") -> Streams:
    return Streams(seeds, purpose)


def make(kind: str, seeds: list[int]) -> Network:
    start = streams(seeds)
    if kind == "linear":
        return build("linear", (33,), start, out_features=7)
    if kind == "mlp":
        return build("mlp", (33,), start, out_features=10, hidden=(64, 33))
    if kind == "mlp_norm":
        return build("mlp", GREY, start, out_features=10, hidden=(64, 33, 16), norm=True)
    if kind == "norm_out":
        return Mlp((33, 20, 12), start, norm=True, norm_out=True)
    if kind == "resnet18":
        return ResNet18(COLOUR, start, width=4)
    if kind == "time_cnn":
        return build("time_cnn", WINDOW, start, out_features=5)
    if kind == "vgg4":
        return build("vgg4", GREY, start, out_features=10)
    return build("cnn", COLOUR if kind == "cnn_colour" else GREY, start, out_features=12)


KINDS = ["linear", "mlp", "mlp_norm", "norm_out", "cnn", "cnn_colour", "vgg4", "resnet18", "time_cnn"]


COLOURED = {"cnn_colour", "resnet18"}


def batch(kind: str, seeds: list[int], size: int = 9) -> torch.Tensor:
    shape = GREY if kind in {"cnn", "vgg4", "mlp_norm"} else COLOUR if kind in COLOURED else (33,)
    shape = WINDOW if kind == "time_cnn" else shape
    return Streams(seeds, "inputs").normal(size, *shape)


def train(network: Network, x: torch.Tensor, steps: int) -> list[torch.Tensor]:
    """Take plain gradient steps on a loss that reaches every output; return outputs and last gradients."""
    for _ in range(steps):
        out = network(x)
        loss = (torch.sin(out) + out**2).mean((1, 2))
        grads = torch.autograd.grad(loss.sum(), network.params)
        with torch.no_grad():
            for parameter, grad in zip(network.params, grads, strict=True):
                parameter.sub_(0.05 * grad)
    return [out.detach(), *grads, *network.buffers]


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_has_the_same_bits_alone_and_in_any_bundle(kind: str) -> None:
    fused = make(kind, SEEDS)
    parts = train(fused, batch(kind, SEEDS), 2)
    features = fused.embed(batch(kind, [1])[0])
    for place, seed in enumerate(SEEDS):
        for seeds in ([seed], [SEEDS[0], seed]):
            network = make(kind, seeds)
            others = train(network, batch(kind, seeds), 2)
            assert all(torch.equal(part[place], other[-1]) for part, other in zip(parts, others, strict=True))
            assert torch.equal(network.embed(batch(kind, [1])[0])[-1], features[place])


@pytest.mark.parametrize("kind", KINDS)
def test_survivors_of_keep_and_a_loaded_state_go_on_with_the_same_bits(kind: str) -> None:
    whole, fresh = make(kind, SEEDS[:3]), make(kind, SEEDS[2::-1])
    train(whole, batch(kind, SEEDS[:3]), 1)
    fresh.load_state_dict(whole.state_dict())
    fresh.keep([0, 2])
    expected = train(whole, batch(kind, SEEDS[:3]), 2)
    got = train(fresh, batch(kind, SEEDS[:3:2]), 2)
    assert isinstance(fresh, Stateful)
    assert all(torch.equal(one[[0, 2]], two) for one, two in zip(expected, got, strict=True))


@pytest.mark.parametrize("kind", ["mlp", "mlp_norm", "cnn"])
def test_a_member_that_is_nan_leaves_its_neighbours_alone(kind: str) -> None:
    calm, poisoned = make(kind, SEEDS[:3]), make(kind, SEEDS[:3])
    with torch.no_grad():
        poisoned.params[0][1] = float("nan")
    one, two = train(calm, batch(kind, SEEDS[:3]), 2), train(poisoned, batch(kind, SEEDS[:3]), 2)
    assert bool(two[0][1].isnan().all())
    assert all(torch.equal(a[[0, 2]], b[[0, 2]]) for a, b in zip(one, two, strict=True))


def reference(network: Mlp) -> nn.Sequential:
    """Return torch's own layers with the values of member 0."""
    layers: list[nn.Module] = []
    params, last = iter(network.params), len(network.widths) - 2
    for depth, (inner, outer) in enumerate(zip(network.widths[:-1], network.widths[1:], strict=True)):
        normed = network.norm_out if depth == last else network.norm
        layer = nn.Linear(inner, outer, bias=not normed)
        layer.weight = nn.Parameter(next(params)[0].detach().T.clone())
        layers.append(layer)
        if not normed:
            layer.bias = nn.Parameter(next(params)[0].detach().clone())
        if normed:
            scaled = depth < last
            layers.append(nn.BatchNorm1d(outer, affine=scaled))
            if scaled:
                layers[-1].weight = nn.Parameter(next(params)[0].detach().clone())
                layers[-1].bias = nn.Parameter(next(params)[0].detach().clone())
        if depth < last:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


@pytest.mark.parametrize("norm_out", [False, True])
@pytest.mark.parametrize("norm", [False, True])
def test_an_mlp_is_torchs_mlp_in_training_and_in_evaluation(norm: bool, norm_out: bool) -> None:
    network = Mlp((10, 16, 13, 4), streams([3, 4]), norm=norm, norm_out=norm_out)
    oracle, x = reference(network), Streams([3, 4], "inputs").normal(12, 10)
    torch.testing.assert_close(network(x)[0], oracle(x[0]), rtol=1e-5, atol=1e-6)
    oracle.eval()
    torch.testing.assert_close(network(x, False)[0], oracle(x[0]), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(network.embed(x[0])[0], oracle(x[0]).detach(), rtol=1e-5, atol=1e-6)


def test_the_small_cnn_is_that_of_the_paper() -> None:
    network = build("cnn", (3, 32, 32), streams([0]), out_features=128)
    assert isinstance(network, Chain)
    assert network.parts[0].out_features == 16 * 5 * 5
    assert build("cnn", (1, 28, 28), streams([0])).out_features == 16 * 4 * 4
    assert build("cnn", (3, 96, 96), streams([0])).out_features == 16 * 21 * 21
    weights = network.params
    x = Streams([0], "inputs").normal(5, 3, 32, 32)
    h = x[0]
    for layer in range(2):
        h = nn.functional.conv2d(h, weights[3 * layer][0])
        h = (h - h.mean((0, 2, 3), keepdim=True)) / (h.var((0, 2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt()
        h = nn.functional.max_pool2d(h.relu(), 2)
    expected = h.flatten(1) @ weights[6][0] + weights[7][0]
    torch.testing.assert_close(network(x)[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["cnn", "vgg4", "resnet18", "time_cnn"])
def test_members_as_groups_agree_with_members_in_turn(kind: str) -> None:
    turn, grouped = make(kind, SEEDS[:3]), make(kind, SEEDS[:3])
    (grouped.parts[0] if isinstance(grouped, Chain) else grouped).grouped = True
    for one, two in zip(train(turn, batch(kind, SEEDS[:3]), 1), train(grouped, batch(kind, SEEDS[:3]), 1), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-4)


def test_one_networks_draws_do_not_depend_on_another() -> None:
    first = make("mlp", [4])
    projector(64, 8, streams([4], "init.projector"), hidden=16)
    assert all(torch.equal(one, two) for one, two in zip(first.params, make("mlp", [4]).params, strict=True))


def test_initial_values_stay_within_torchs_default_bound_and_fill_it() -> None:
    weight = build("linear", (100,), streams([0, 1]), out_features=50).params[0]
    assert weight.abs().max() <= 0.1
    assert weight.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.05)
    predictor = projector(8, 4, streams([0], "init.predictor"), hidden=512, init=small_normal)
    assert predictor.params[0].std().item() == pytest.approx(0.01, rel=0.1)
    assert bool((predictor.params[-1] == 0).all())


def test_a_target_follows_its_online_network_at_each_members_own_pace() -> None:
    online = make("mlp_norm", SEEDS[:2])
    target = online.copy()
    before = [parameter.clone() for parameter in target.params]
    train(online, batch("mlp_norm", SEEDS[:2]), 1)
    assert all(torch.equal(one, two) for one, two in zip(before, target.params, strict=True))
    target.follow(online, torch.tensor([1.0, 0.75]))
    for old, new, lead in zip(before, target.params, online.params, strict=True):
        assert torch.equal(old[0], new[0])
        torch.testing.assert_close(new[1], 0.75 * old[1] + 0.25 * lead[1].detach())
        assert not new.requires_grad


def test_a_target_that_keeps_nothing_is_the_online_network_and_many_steps_have_a_closed_form() -> None:
    online = make("mlp_norm", SEEDS[:2])
    target = online.copy()
    before = [parameter.clone() for parameter in target.params]
    train(online, batch("mlp_norm", SEEDS[:2]), 1)
    for _ in range(5):
        target.follow(online, torch.tensor([0.0, 0.9]))
    for old, new, lead in zip(before, target.params, online.params, strict=True):
        assert torch.equal(new[0], lead[0])
        torch.testing.assert_close(new[1], lead[1].detach() + 0.9**5 * (old[1] - lead[1].detach()))


def test_a_copied_chain_shares_nothing_with_its_original() -> None:
    original = make("cnn", SEEDS[:2])
    twin = original.copy()
    before = [tensor.clone() for tensor in [*twin.params, *twin.buffers]]
    train(original, batch("cnn", SEEDS[:2]), 1)
    assert all(torch.equal(one, two) for one, two in zip(before, [*twin.params, *twin.buffers], strict=True))


@pytest.mark.parametrize("kind", ["mlp_norm", "norm_out"])
def test_a_batch_of_one_is_normalised_by_running_statistics_and_leaves_them_alone(kind: str) -> None:
    network = make(kind, [0, 1])
    train(network, batch(kind, [0, 1]), 1)
    before = [tensor.clone() for tensor in network.buffers]
    single = batch(kind, [0, 1], size=1)
    assert torch.equal(network(single, True), network(single, False))
    assert all(torch.equal(one, two) for one, two in zip(before, network.buffers, strict=True))


def test_evaluation_does_not_depend_on_the_batch_around_a_sample() -> None:
    network, x = make("cnn", [0, 1]), batch("cnn", [0, 1])
    train(network, x, 1)
    torch.testing.assert_close(network(x, False)[:, :1], network(x[:, :1], False))


def test_bundles_are_no_larger_for_networks_that_gain_less() -> None:
    for shape in ((1, 8, 8), (1, 28, 28)):
        most = [members_at_most(name, shape) for name in NETWORKS]
        assert most == sorted(most, reverse=True)
        assert most[-1] == 1
    assert members_at_most("cnn", (3, 32, 32)) < members_at_most("cnn", (3, 8, 8))


def test_what_cannot_be_built_is_said_in_one_line() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown network 'vgg5'; .*there are: cnn, linear, mlp"):
        build("vgg5", GREY, streams([0]))
    with pytest.raises(RequestError, match=r"network cnn takes images .*this dataset holds vectors"):
        build("cnn", (64,), streams([0]))
    with pytest.raises(RequestError, match="at least 4 x 4; these are 3 x 3"):
        build("vgg4", (1, 3, 3), streams([0]))
    with pytest.raises(RequestError, match="network mlp needs out_features"):
        build("mlp", (64,), streams([0]))


def test_a_network_beside_another_shares_its_parameters_and_records_for_itself() -> None:
    for kind in ("mlp_norm", "cnn"):
        network = make(kind, [0, 1])
        twin = network.beside()
        before = [tensor.clone() for tensor in network.buffers]
        x = batch(kind, [0, 1])
        out = twin(x)
        assert all(one is two for one, two in zip(network.params, twin.params, strict=True))
        assert all(torch.equal(one, two) for one, two in zip(before, network.buffers, strict=True))
        assert torch.equal(out, network(x))
        assert all(torch.equal(one, two) for one, two in zip(network.buffers, twin.buffers, strict=True))


def test_parts_are_kept_and_taken_up_by_name() -> None:
    parts = Parts({"body": make("mlp", [4, 5, 6]), "head": Mlp((10, 3), streams([4, 5, 6], "init.head"))})
    again = Parts({"body": make("mlp", [1, 2, 3]), "head": Mlp((10, 3), streams([1, 2, 3], "init.head"))})
    again.load_state_dict(parts.state_dict())
    again.keep([0, 2])
    assert isinstance(parts, Stateful)
    assert all(torch.equal(one[[0, 2]], two) for one, two in zip(parts.params, again.params, strict=True))


def test_a_backbone_has_its_own_features_or_the_asked_width() -> None:
    assert backbone("cnn", (1, 28, 28), streams([0]), 99).out_features == 16 * 4 * 4
    assert backbone("mlp", (7,), streams([0]), 99).out_features == 99


def test_a_head_has_a_hidden_layer_behind_every_network_but_a_linear_one() -> None:
    both, widths = (streams([0, 1]), streams([0, 1], "init.head")), (20, 16, 8)
    assert [tuple(p.shape[1:]) for p in headed("linear", GREY, both, widths).params] == [(64, 8), (8,)]
    weights = [tuple(p.shape[1:]) for p in headed("mlp", GREY, both, widths).params if p.dim() == 3]
    assert weights == [(64, 20), (20, 16), (16, 8)]
    chain = headed("cnn", GREY, both, widths, norm_out=True)
    assert isinstance(chain, Chain) and chain.out_features == 8 and chain.params[-1].shape[1:] == (16, 8)
