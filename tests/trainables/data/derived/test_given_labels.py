"""Given labels: how many are shown of each class, and how many of them are wrong, and which."""

from __future__ import annotations

import pytest
import torch

from trainables.data.dataset import Dataset
from trainables.data.derived.given_labels import NOISES, shown

LABELS = torch.arange(4).repeat_interleave(torch.tensor([10, 50, 100, 240]))
DATA = Dataset("four", torch.randn(400, 3, generator=torch.Generator().manual_seed(0)), LABELS, 4)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_the_same_share_of_every_class_is_shown_and_all_else_is_hidden(share: float) -> None:
    found = shown(LABELS, DATA, share)
    known = found >= 0
    assert torch.equal(found[known], LABELS[known])
    assert torch.bincount(found[known], minlength=4).tolist() == [round(share * n) for n in (10, 50, 100, 240)]


def test_a_larger_share_shows_what_a_smaller_one_does_and_more() -> None:
    few, more = shown(LABELS, DATA, 0.2) >= 0, shown(LABELS, DATA, 0.6) >= 0
    assert bool((more | ~few).all()) and int(more.sum()) > int(few.sum())


@pytest.mark.parametrize("kind", NOISES)
def test_no_noise_leaves_the_true_labels_and_the_same_share_is_wrong_in_the_same_places(kind: str) -> None:
    assert torch.equal(NOISES[kind](DATA, 0.0), LABELS)
    noisy = NOISES[kind](DATA, 0.3)
    assert torch.equal(noisy, NOISES[kind](DATA, 0.3)) and noisy.shape == LABELS.shape
    assert int(noisy.min()) >= 0 and int(noisy.max()) <= 3
    assert torch.equal(DATA.labels, LABELS)


def test_noise_by_class_makes_each_wrong_label_the_next_class() -> None:
    noisy = NOISES["class"](DATA, 0.5)
    wrong = noisy != LABELS
    assert torch.equal(noisy[wrong], (LABELS[wrong] + 1) % 4)
    assert float(wrong.float().mean()) == pytest.approx(0.5, abs=0.08)


def test_all_labels_are_drawn_anew_with_uniform_noise_of_share_one() -> None:
    shares = torch.bincount(NOISES["uniform"](DATA, 1.0), minlength=4) / 400
    assert shares.tolist() == pytest.approx([0.25] * 4, abs=0.07)


def test_instance_noise_takes_as_many_points_as_asked_for_and_the_most_ambiguous_ones() -> None:
    heaps = torch.cat([torch.linspace(0.0, 1.0, 100), torch.linspace(1.01, 2.0, 100)])[:, None]
    labels = torch.arange(2).repeat_interleave(100)
    noisy = NOISES["instance"](Dataset("two", heaps, labels, 2), 0.1)
    assert (noisy != labels).nonzero()[:, 0].tolist() == list(range(90, 110))
