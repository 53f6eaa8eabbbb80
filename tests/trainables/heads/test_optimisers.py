"""Optimisers over stacked parameters: torch.optim as oracle, members alone, keep, state, schedules."""

from __future__ import annotations

import math

import pytest
import torch

from trainables.heads.optimisers import Adam, Sgd, constant, cosine, warmup_cosine
from trainables.method import Stateful

SHAPES = [(7, 5), (3,), (1,), (2, 3, 3, 3)]
RATES = [0.1, 0.01, 0.03]
DECAYS = [0.0, 0.1, 0.5]


def stacked(members: list[int], seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(len(RATES), *shape, generator=generator)[members] for shape in SHAPES]


def build(kind: str, members: list[int]) -> Sgd | Adam:
    rates = torch.tensor(RATES)[members]
    decays = torch.tensor(DECAYS)[members]
    if kind == "sgd":
        return Sgd(rates, weight_decay=decays)
    if kind in {"momentum", "nesterov"}:
        return Sgd(rates, momentum=0.9, nesterov=kind == "nesterov", weight_decay=decays)
    return Adam(rates, weight_decay=decays, decoupled=kind == "adamw")


def oracle(kind: str, params: list[torch.Tensor], member: int) -> torch.optim.Optimizer:
    common = {"lr": RATES[member], "weight_decay": DECAYS[member]}
    if kind == "adam":
        return torch.optim.Adam(params, **common)
    if kind == "adamw":
        return torch.optim.AdamW(params, **common)
    momentum = 0.0 if kind == "sgd" else 0.9
    return torch.optim.SGD(params, momentum=momentum, nesterov=kind == "nesterov", **common)


def train(optimiser: Sgd | Adam, params: list[torch.Tensor], members: list[int], steps: range) -> None:
    for step in steps:
        optimiser.step(params, stacked(members, 100 + step), lr_scale=1.0 / (1 + step))


KINDS = ["sgd", "momentum", "nesterov", "adam", "adamw"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_member_moves_as_torch_moves_it_alone(kind: str) -> None:
    params = stacked([0, 1, 2], 0)
    train(build(kind, [0, 1, 2]), params, [0, 1, 2], range(5))
    for member in range(3):
        alone = [torch.nn.Parameter(part[0]) for part in stacked([member], 0)]
        reference = oracle(kind, alone, member)
        for step in range(5):
            for parameter, grad in zip(alone, stacked([member], 100 + step), strict=True):
                parameter.grad = grad[0]
            reference.param_groups[0]["lr"] = RATES[member] / (1 + step)
            reference.step()
        for part, expected in zip(params, alone, strict=True):
            torch.testing.assert_close(part[member], expected.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_has_the_same_bits_alone_and_in_a_bundle(kind: str) -> None:
    members = [2, 0, 1, 1, 2, 0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 1, 0]
    bundle = stacked(members, 0)
    train(build(kind, members), bundle, members, range(4))
    for place in (0, 1, 2, 16):
        alone = stacked([members[place]], 0)
        train(build(kind, [members[place]]), alone, [members[place]], range(4))
        assert all(torch.equal(part[place], single[0]) for part, single in zip(bundle, alone, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_survivors_of_keep_and_a_loaded_state_go_on_with_the_same_bits(kind: str) -> None:
    whole, params = build(kind, [0, 1, 2]), stacked([0, 1, 2], 0)
    train(whole, params, [0, 1, 2], range(2))
    fresh, copies = build(kind, [0, 1, 2]), [part.clone() for part in params]
    fresh.load_state_dict(whole.state_dict())
    train(whole, params, [0, 1, 2], range(2, 4))
    fresh.keep([0, 2])
    survivors = [part[[0, 2]] for part in copies]
    train(fresh, survivors, [0, 2], range(2, 4))
    assert all(torch.equal(part[[0, 2]], left) for part, left in zip(params, survivors, strict=True))


def test_a_state_taken_before_the_first_step_can_be_loaded() -> None:
    fresh, params, again = build("adam", [0, 1]), stacked([0, 1], 0), stacked([0, 1], 0)
    fresh.load_state_dict(build("adam", [0, 1]).state_dict())
    train(fresh, params, [0, 1], range(2))
    train(build("adam", [0, 1]), again, [0, 1], range(2))
    assert isinstance(fresh, Stateful)
    assert all(torch.equal(one, two) for one, two in zip(params, again, strict=True))


def test_a_state_is_a_copy_that_later_steps_do_not_move() -> None:
    optimiser, params = build("momentum", [0, 1]), stacked([0, 1], 0)
    train(optimiser, params, [0, 1], range(1))
    state = optimiser.state_dict()
    before = state["momentum_0"].clone()
    train(optimiser, params, [0, 1], range(1, 3))
    assert torch.equal(state["momentum_0"], before)


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_that_diverges_leaves_its_neighbours_alone(kind: str) -> None:
    params, calm = stacked([0, 1], 0), stacked([0, 1], 0)
    poisoned, healthy = build(kind, [0, 1]), build(kind, [0, 1])
    for step in range(3):
        grads = stacked([0, 1], 100 + step)
        healthy.step(calm, grads)
        poisoned.step(params, [torch.cat([grad[:1] * math.nan, grad[1:]]) for grad in grads])
    assert bool(params[0][0].isnan().all())
    assert all(torch.equal(part[1], other[1]) for part, other in zip(params, calm, strict=True))


def test_schedules_follow_each_members_own_horizon() -> None:
    horizon, warmup = torch.tensor([10.0, 20.0]), torch.tensor([0.0, 4.0])
    assert warmup_cosine(0, horizon, warmup).tolist() == [1.0, 0.25]
    assert warmup_cosine(3, horizon, warmup)[1] == 1.0
    assert warmup_cosine(12, horizon, warmup)[1] == pytest.approx(0.5)
    assert cosine(5, horizon).tolist() == pytest.approx([0.5, 0.5 * (1 + math.cos(math.pi / 4))])
    assert cosine(99, horizon, floor=0.1).tolist() == pytest.approx([0.1, 0.1])
    assert constant(7, horizon).tolist() == [1.0, 1.0]


def test_a_schedule_never_leaves_the_unit_interval_and_falls_after_the_rise() -> None:
    factors = [float(warmup_cosine(step, torch.tensor([30.0]), torch.tensor([5.0]))[0]) for step in range(40)]
    assert all(0.0 <= factor <= 1.0 for factor in factors)
    assert factors[:5] == sorted(factors[:5])
    assert factors[5:] == sorted(factors[5:], reverse=True)
