"""Members of one seed share points, order and first weights; a member's bits do not depend on who shares with it."""

from __future__ import annotations

import pytest
import torch

from trainables.heads import shared_head
from trainables.heads.shared_head import Seats, SharedLinear, SharedOrder, joined, members_at_once
from trainables.losses.soft_labels import largest


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def rates(n: int) -> dict[str, torch.Tensor]:
    lr = torch.linspace(0.1, 1.0, n)
    return {"lr": lr, "norm_weight": lr / 100, "weight_decay": lr / 50, "init_scale": torch.ones(n)}


def test_what_a_seed_shares_follows_it_whatever_the_order_of_members() -> None:
    seats = Seats([7, 3, 7, 5])
    assert seats.distinct == [3, 5, 7] and seats.of.tolist() == [2, 0, 2, 1]
    assert [members.tolist() for members in seats.members] == [[1], [3], [0, 2]]


def test_dropping_members_keeps_the_orders_of_the_others() -> None:
    order = SharedOrder([7, 3, 7, 5], torch.device("cpu"))
    order.permutation(50)
    order.keep([2, 3])
    alone = SharedOrder([5], torch.device("cpu"))
    alone.permutation(50)
    assert torch.equal(order.permutation(50)[0], alone.permutation(50)[0])


def head(seeds: list[int]) -> SharedLinear:
    inputs = torch.randn(30, 6, generator=torch.Generator().manual_seed(0))
    inputs[:, 2] = 0.0
    return SharedLinear(inputs, 4, seeds, rates(len(seeds)))


def test_a_step_is_gradient_descent_with_norm_and_decay() -> None:
    net, rows = head([1, 2, 1]), torch.arange(20).view(2, 10)
    slope = torch.randn(3, 4, 10, generator=torch.Generator().manual_seed(1))
    weight, bias = net.weight.clone(), net.bias.clone()
    (logits,) = net.logits(rows)
    net.step([slope])
    for member, seat in enumerate([0, 1, 0]):
        batch, lr = net.inputs[rows[seat]], float(net.lr[member])
        torch.testing.assert_close(logits[member], weight[member] @ batch.T + bias[member][:, None])
        pull = 2 * lr / 100 + lr / 50
        expected = weight[member] - lr * (slope[member] @ batch + pull * weight[member])
        torch.testing.assert_close(net.weight[member], expected)
        bias_step = slope[member].sum(1) + lr / 50 * bias[member]
        torch.testing.assert_close(net.bias[member], bias[member] - lr * bias_step)


@pytest.mark.parametrize("batch", [3, 250, 1000])
def test_a_members_step_has_the_same_bits_whoever_shares_its_seed(batch: int) -> None:
    generator = torch.Generator().manual_seed(batch)
    inputs, slope = torch.randn(1000, 700, generator=generator), torch.randn(30, 4, batch, generator=generator)
    rows = torch.randperm(1000, generator=generator)[None, :batch]
    found = []
    for members in (range(30), range(11, 12), range(5, 25)):
        own = {name: column[list(members)] for name, column in rates(30).items()}
        net = SharedLinear(inputs, 4, [1] * len(members), own)
        (logits,) = net.logits(rows)
        net.step([slope[list(members)]])
        place = list(members).index(11)
        found.append((logits[place], net.weight[place], net.bias[place]))
    assert all(torch.equal(*pair) for other in found[1:] for pair in zip(found[0], other, strict=True))


def test_columns_of_zeros_have_no_weights() -> None:
    assert head([1]).weight.shape == (1, 4, 5)
    empty = SharedLinear(torch.zeros(5, 3), 4, [1], rates(1))
    assert torch.cat(list(empty.outputs(empty.prepared(torch.zeros(2, 3)))), 2).shape == (1, 4, 2)


def test_members_of_one_seed_begin_alike_and_scaled() -> None:
    scaled = rates(2) | {"init_scale": torch.tensor([1.0, 3.0])}
    net = SharedLinear(torch.randn(9, 5), 4, [8, 8], scaled)
    torch.testing.assert_close(net.weight[1], 3.0 * net.weight[0])


def test_outputs_come_in_chunks_that_change_nothing() -> None:
    net = head([1, 2])
    points = torch.randn(1300, 6)
    whole = torch.cat(list(net.outputs(net.prepared(points))), 2)
    for place in (0, 600, 1299):
        (one,) = net.outputs(net.prepared(points[place : place + 1]))
        torch.testing.assert_close(whole[:, :, place], one[:, :, 0])


def test_largest_names_the_class_of_the_largest_logit() -> None:
    logits = torch.randn(3, 5, 40)
    assert torch.equal(largest(logits), logits.argmax(1))


@pytest.mark.parametrize("sparse", [False, True])
def test_many_points_are_not_copied_and_give_the_bits_that_few_give(
    sparse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = torch.randn(1_100, 20, generator=torch.Generator().manual_seed(0))
    if sparse:
        points[:, 3] = 0.0
    rows = torch.arange(200).view(2, 100)
    slope = torch.randn(3, 4, 100, generator=torch.Generator().manual_seed(1))
    few = SharedLinear(points, 4, [1, 2, 1], rates(3))
    monkeypatch.setattr(shared_head, "COPIED", 1)
    many = SharedLinear(points, 4, [1, 2, 1], rates(3))
    assert many.inputs.data_ptr() == points.data_ptr()
    assert torch.equal(many.logits(rows)[0], few.logits(rows)[0])
    for net in (few, many):
        net.step([slope])
    assert torch.equal(many.weight, few.weight)
    held = many.prepared(points)
    assert isinstance(held, torch.Tensor) and held.data_ptr() == points.data_ptr()
    monkeypatch.undo()
    packed = few.prepared(points)
    assert torch.equal(joined(many.outputs(held), 1_100), joined(few.outputs(packed), 1_100))
    assert torch.equal(joined(many.outputs(many.inputs), 1_100), torch.cat(list(few.outputs(packed)), 2))


def test_members_that_go_together_are_fewer_where_points_are_many() -> None:
    assert members_at_once(5_000, 10) > 64
    assert members_at_once(100_000, 10) == 16
    assert members_at_once(10**9, 10) == 1
