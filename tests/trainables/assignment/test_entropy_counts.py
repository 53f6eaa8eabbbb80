"""Entropy counts: increments are exact, single steps never raise the objective, the ends of the weight."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.assignment.entropy_counts import entropy_counts, negative_entropy

quick = settings(max_examples=25, deadline=None)


def epoch(score, labels, alpha, batch):
    """One pass over all points of one member in batches; returns labels, and counts recounted from them."""
    classes = score.shape[1]
    counts = torch.bincount(labels, minlength=classes)[None]
    labels = labels.clone()
    for rows in torch.arange(len(score)).split(batch):
        found = entropy_counts(score[None, rows], counts, torch.tensor([alpha]), labels[None, rows])
        labels[rows], counts = found.labels[0], found.counts
        assert torch.equal(counts[0], torch.bincount(labels, minlength=classes))
    return labels, counts


def objective(score, labels, alpha):
    counts = torch.bincount(labels, minlength=score.shape[1])[None]
    own = score.double().gather(1, labels[:, None]).sum()
    return float(-own + alpha * negative_entropy(counts)[0])


@quick
@given(st.integers(0, 10_000), st.integers(2, 20), st.integers(1, 5), st.floats(0.0, 50.0))
def test_each_single_step_takes_the_move_with_the_lowest_objective(seed, points, classes, alpha):
    generator = torch.Generator().manual_seed(seed)
    score = torch.randn(points, classes, generator=generator)
    labels = torch.randint(0, classes, (points,), generator=generator)
    counts = torch.bincount(labels, minlength=classes)[None]
    found = entropy_counts(score[None, :1], counts, torch.tensor([alpha]), labels[None, :1])
    every = []
    for k in range(classes):
        moved = labels.clone()
        moved[0] = k
        every.append(objective(score, moved, alpha))
    assert every[int(found.labels)] == pytest.approx(min(every), rel=1e-9, abs=1e-9)
    assert every[int(found.labels)] <= objective(score, labels, alpha) + 1e-9


@quick
@given(st.integers(0, 10_000), st.floats(0.0, 100.0))
def test_with_single_points_a_pass_never_raises_the_objective(seed, alpha):
    generator = torch.Generator().manual_seed(seed)
    score, labels = torch.randn(30, 4, generator=generator), torch.randint(0, 4, (30,), generator=generator)
    before = objective(score, labels, alpha)
    after, _ = epoch(score, labels, alpha, batch=1)
    assert objective(score, after, alpha) <= before + 1e-9


def test_weight_zero_is_the_argmax_and_a_huge_weight_balances_single_steps():
    generator = torch.Generator().manual_seed(1)
    score, labels = torch.randn(300, 5, generator=generator), torch.zeros(300, dtype=torch.long)
    assert torch.equal(epoch(score, labels, 0.0, batch=50)[0], score.argmax(1))
    _, counts = epoch(score, labels, 1e7, batch=1)
    assert int(counts.max() - counts.min()) <= 1


def test_the_first_epoch_grows_counts_from_a_plain_argmax():
    score = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(2))
    zero = torch.zeros(2, 3, dtype=torch.long)
    first = entropy_counts(score, zero, torch.tensor([1e6, 0.0]))
    assert torch.equal(first.labels, score.argmax(2)) and first.counts.sum(1).tolist() == [6, 6]
    skewed = torch.tensor([[50, 0, 0], [50, 0, 0]])
    second = entropy_counts(score, skewed, torch.tensor([1e6, 0.0]))
    assert not (second.labels[0] == 0).any() and torch.equal(second.labels[1], score[1].argmax(1))


def test_a_member_of_a_batch_equals_itself_alone_and_nan_stays_inside_its_member():
    generator = torch.Generator().manual_seed(3)
    score = torch.randn(3, 8, 4, generator=generator)
    previous = torch.randint(0, 4, (3, 8), generator=generator)
    counts, alpha = torch.full((3, 4), 20), torch.tensor([0.0, 5.0, 500.0])
    found = entropy_counts(score, counts, alpha, previous)
    for m in range(3):
        one = slice(m, m + 1)
        alone = entropy_counts(score[one], counts[one], alpha[one], previous[one])
        assert torch.equal(alone.labels[0], found.labels[m]) and torch.equal(alone.counts[0], found.counts[m])
    score[1, 2] = float("nan")
    spoilt = entropy_counts(score, counts, alpha, previous)
    assert torch.equal(spoilt.labels[[0, 2]], found.labels[[0, 2]])
    assert ((spoilt.labels >= 0) & (spoilt.labels < 4)).all()


def test_a_point_alone_in_its_cluster_may_leave_it():
    found = entropy_counts(
        torch.tensor([[[0.0, 9.0]]]), torch.tensor([[1, 5]]), torch.tensor([1.0]), torch.tensor([[0]])
    )
    assert found.labels.tolist() == [[1]] and found.counts.tolist() == [[0, 6]]


def test_wrong_shapes_and_empty_batches_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        entropy_counts(torch.zeros(1, 0, 3), torch.zeros(1, 3), torch.ones(1))
    with pytest.raises(ValueError, match=r"counts must be \(1, 3\)"):
        entropy_counts(torch.zeros(1, 2, 3), torch.zeros(1, 4), torch.ones(1))
    with pytest.raises(ValueError, match=r"previous must be \(1, 2\)"):
        entropy_counts(torch.zeros(1, 2, 3), torch.zeros(1, 3), torch.ones(1), torch.zeros(1, 3, dtype=torch.long))
