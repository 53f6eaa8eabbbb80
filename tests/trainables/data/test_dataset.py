"""A dataset refuses what cannot be trained on, and its digest is that of its content."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from orchestrator.errors import DataError, RequestError
from trainables.data.dataset import Dataset


def made(inputs: Tensor | None = None) -> Dataset:
    points = torch.arange(12.0).view(6, 2) if inputs is None else inputs
    return Dataset("made", points, torch.arange(len(points)) % 2, 2)


@pytest.mark.parametrize("poison", [torch.nan, torch.inf, -torch.inf])
def test_pixels_that_are_not_finite_are_refused_in_one_line(poison: float) -> None:
    images = torch.zeros(4, 1, 8, 8)
    images[2, 0, 3, 3] = poison
    with pytest.raises(DataError, match="dataset made holds NaN or infinite inputs"):
        made(images)


def test_no_points_and_missing_labels_are_refused_in_one_line() -> None:
    with pytest.raises(DataError, match="dataset made is empty"):
        made(torch.zeros(0, 3))
    with pytest.raises(DataError, match=r"dataset made is empty: its inputs have the shape \(6, 0\)"):
        made(torch.zeros(6, 0))
    with pytest.raises(DataError, match="6 inputs but 5 labels"):
        replace(made(), labels=torch.zeros(5, dtype=torch.int64))


def test_one_scored_point_which_has_no_neighbour_is_refused_in_one_line() -> None:
    with pytest.raises(RequestError, match="dataset made has 1 scored points under 'whole'; allowed: at least 2"):
        made(torch.zeros(1, 3)).under("whole")
    parts = replace(made(), test_inputs=torch.zeros(1, 2), test_labels=torch.zeros(1, dtype=torch.int64))
    assert len(parts.under("whole")) == 7
    with pytest.raises(RequestError, match="1 scored points"):
        parts.under("split")


def test_nan_in_the_test_part_is_refused_when_the_parts_are_merged() -> None:
    parts = replace(made(), test_inputs=torch.full((1, 2), torch.nan), test_labels=torch.zeros(1, dtype=torch.int64))
    with pytest.raises(DataError, match="NaN"):
        parts.under("whole")


def test_the_digest_moves_with_every_tensor_and_with_nothing_else() -> None:
    plain = made()
    assert plain.digest == replace(plain, name="other", protocol="split", offset=torch.ones(1)).digest
    moved = plain.inputs.clone()
    moved[5, 1] += 1e-6 * moved[5, 1]
    changes = (
        {"inputs": moved},
        {"inputs": plain.inputs.view(6, 2, 1, 1)},
        {"labels": 1 - plain.labels},
        {"given_labels": plain.labels},
        {"test_inputs": plain.inputs, "test_labels": plain.labels},
    )
    digests = {replace(plain, **change).digest for change in changes}  # type: ignore[arg-type]
    assert len(digests | {plain.digest}) == 6


def test_the_digest_is_that_of_ledgers_written_before() -> None:
    """trial_ids hold it: a digest computed another way would have every trial trained again."""
    assert made().digest == "d19d8803636b029cb4cd"
    assert Dataset("none", torch.zeros(1, 2), torch.zeros(1, dtype=torch.int64), 1, torch.zeros(0, 2)).digest


def test_the_digest_does_not_depend_on_how_the_tensors_lie_in_memory() -> None:
    turned = made(torch.arange(12.0).view(6, 2).T.contiguous().T)
    assert not turned.inputs.is_contiguous() and turned.digest == made().digest


def test_two_points_have_one_neighbour_each() -> None:
    assert made(torch.zeros(2, 3)).neighbours.shape == (2, 1)
