"""What every network does: members alone and in bundles, keep, state, copies, running statistics."""

from __future__ import annotations

import pytest
import torch
from small_networks import KINDS, SEEDS, batch, make, streams, train

from trainables.method import Stateful
from trainables.networks import (
    Mlp,
    Parts,
)


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
