import torch

from trainables.data.augmentations import Augmentation
from trainables.heads.optimisers import Sgd
from trainables.heads.self_labelling import SelfLabelling


def stage(**options: bool) -> tuple[SelfLabelling, torch.Tensor]:
    inputs = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
    weak, strong = (Augmentation("none", inputs, [1, 2], f"view.{what}") for what in ("weak", "strong"))
    return SelfLabelling(weak, strong, Sgd(torch.tensor([0.1, 0.1]), momentum=0.9), **options), inputs


def step(
    threshold: list[float], scale: float = 1.0, **options: bool
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Loss, weights before and after one step of two linear members."""
    made, inputs = stage(**options)
    weights = (scale * torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(1))).requires_grad_()
    before, rows = weights.detach().clone(), torch.arange(12).expand(2, 12)
    fixed = torch.ones(2, 12, dtype=torch.int64)
    loss = made.step((inputs[rows], rows), lambda x, train: x @ weights, [weights], fixed, torch.tensor(threshold))
    return loss, before, weights.detach()


def test_without_a_confident_label_nothing_moves() -> None:
    loss, before, after = step([0.99, 0.99], scale=0.01)
    assert loss.tolist() == [0.0, 0.0] and torch.equal(before, after)


def test_a_member_in_its_warm_up_trains_on_the_fixed_labels_of_all_points() -> None:
    loss, before, after = step([-1.0, 0.99], scale=0.01)
    _, inputs = stage()
    expected = torch.nn.functional.cross_entropy(inputs @ before[0], torch.ones(12, dtype=torch.int64))
    torch.testing.assert_close(loss[0], expected)
    assert not torch.equal(before[0], after[0]) and torch.equal(before[1], after[1])


def test_only_confident_points_count_with_the_label_of_the_weak_view() -> None:
    loss, before, _ = step([0.7, 0.7])
    _, inputs = stage()
    for member in range(2):
        logits = inputs @ before[member]
        sure = logits.softmax(1).amax(1) >= 0.7
        assert 0 < sure.sum() < 12
        expected = torch.nn.functional.cross_entropy(logits[sure], logits[sure].argmax(1))
        torch.testing.assert_close(loss[member], expected)


def test_balanced_labels_count_by_the_inverse_of_how_often_they_stand_there() -> None:
    loss, before, _ = step([0.5, 0.5], balanced=True)
    _, inputs = stage()
    for member in range(2):
        logits = inputs @ before[member]
        sure = logits.softmax(1).amax(1) >= 0.5
        labels = logits[sure].argmax(1)
        weight = torch.ones(4)
        found, counts = labels.unique(return_counts=True)
        weight[found] = len(labels) / counts.float()
        expected = torch.nn.functional.cross_entropy(logits[sure], labels, weight=weight)
        torch.testing.assert_close(loss[member], expected)
