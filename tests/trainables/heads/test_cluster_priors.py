"""Prior shares: the paper's imbalance levels, k-means sizes, alignment by rank."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.heads.cluster_priors import aligned, estimated_shares, level_shares


@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("k", [1, 2, 10])
def test_shares_of_a_level_are_a_falling_distribution(level: int, k: int) -> None:
    shares = level_shares(level, k)
    assert shares.sum().item() == pytest.approx(1.0)
    assert torch.equal(shares, shares.sort(descending=True).values)
    assert shares.min() > 0


def test_the_third_level_is_the_papers() -> None:
    torch.testing.assert_close(level_shares(3, 4), torch.tensor([1.0, 0.75, 0.5, 0.25]) / 2.5)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=2, max_size=8), st.booleans())
def test_alignment_keeps_the_shares_and_orders_them_as_the_sizes(sizes: list[int], reverse: bool) -> None:
    k = len(sizes)
    shares, counts = level_shares(3, k)[None], torch.tensor([sizes], dtype=torch.float32)
    prior = aligned(shares, counts, reverse)
    torch.testing.assert_close(prior.sort().values, shares.sort().values)
    for a in range(k):
        for b in range(k):
            if counts[0, a] > counts[0, b]:
                assert (prior[0, a] < prior[0, b]) if reverse else (prior[0, a] > prior[0, b])


def test_equal_sizes_share_out_by_index() -> None:
    shares = torch.tensor([[0.5, 0.3, 0.2]])
    assert aligned(shares, torch.tensor([[4.0, 4.0, 4.0]])).tolist() == shares.tolist()


def test_estimated_shares_are_the_sizes_of_separated_groups_for_every_seed_alone_or_not() -> None:
    generator = torch.Generator().manual_seed(0)
    sizes = (60, 30, 10)
    points = torch.cat(
        [torch.randn(size, 4, generator=generator) * 0.1 + 5.0 * place for place, size in enumerate(sizes)]
    )
    shares = estimated_shares(points, 3, [1, 2])
    torch.testing.assert_close(shares, torch.tensor([[0.6, 0.3, 0.1]] * 2))
    assert torch.equal(estimated_shares(points, 3, [2])[0], shares[1])


def test_fewer_distinct_points_than_clusters_leave_no_share_at_zero() -> None:
    shares = estimated_shares(torch.zeros(12, 2), 3, [0])
    assert bool((shares > 0).all())
