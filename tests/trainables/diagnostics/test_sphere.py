import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import normalized_mutual_info_score

from trainables.diagnostics.sphere import (
    centre_preservation,
    largest_centre_cosine,
    nearest_other,
    partition_change,
    share_entropy,
    sizes,
    uniformity,
)
from trainables.losses.sphere import unit


def draws(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1_000))
def test_partition_change_is_one_minus_nmi_and_ignores_names(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    before, after = torch.randint(0, 4, (2, 3, 40), generator=generator)
    change = partition_change(before, after, 4)
    for member in range(3):
        expected = 1 - normalized_mutual_info_score(before[member], after[member])
        assert change[member].item() == pytest.approx(expected, abs=1e-6)
    renamed = torch.randperm(4, generator=generator)[before]
    assert partition_change(before, renamed, 4).abs().max() < 1e-6


def test_even_sizes_have_entropy_one_and_one_cluster_zero() -> None:
    counts = sizes(torch.tensor([[0, 1, 2, 3], [2, 2, 2, 2]]), 4)
    assert counts.tolist() == [[1, 1, 1, 1], [0, 0, 4, 0]]
    assert share_entropy(counts).tolist() == pytest.approx([1.0, 0.0])


def test_the_largest_centre_cosine_leaves_a_centre_itself_out() -> None:
    eye = torch.eye(3).unsqueeze(0)
    assert largest_centre_cosine(5 * eye).item() == 0.0
    assert largest_centre_cosine(torch.ones(1, 2, 3)).item() == pytest.approx(1.0)
    assert largest_centre_cosine(torch.ones(1, 1, 3)).item() == -1.0


def test_equal_points_have_uniformity_zero_and_spread_ones_less() -> None:
    assert uniformity(torch.ones(1, 5, 3)).item() == pytest.approx(0.0, abs=1e-5)
    points = draws(0, 1, 20, 3)
    pairs = [
        math.exp(-2 * float((a - b).square().sum()))
        for i, a in enumerate(unit(points)[0])
        for j, b in enumerate(unit(points)[0])
        if i != j
    ]
    assert uniformity(points).item() == pytest.approx(math.log(sum(pairs) / len(pairs)), rel=1e-4)


def test_the_nearest_other_point_is_never_the_own_one() -> None:
    points = draws(0, 2, 30, 4)
    own = torch.tensor([3, 7, 11])
    nearest = nearest_other(points[:, own], points, own)
    for member in range(2):
        cosines = unit(points[member, own]) @ unit(points[member]).T
        expected = [
            max((c, j) for j, c in enumerate(row.tolist()) if j != o)[1] for row, o in zip(cosines, own, strict=True)
        ]
        assert nearest[member].tolist() == expected


def test_neighbours_without_noise_are_preserved_and_opposite_ones_are_not() -> None:
    points, centres = draws(0, 1, 50, 4), draws(1, 1, 3, 4)
    assert centre_preservation(points, points, centres).item() == 1.0
    assert centre_preservation(points, -points, centres).item() < 0.5
