"""What entropy clustering logs, against plain formulas."""

from __future__ import annotations

import math

import pytest
import torch

from trainables.diagnostics import entropy
from trainables.diagnostics.entropy import BATCH_FACTS, of_batch, of_predictions, of_weights


def test_facts_of_a_batch() -> None:
    logits = torch.randn(2, 5, 30, generator=torch.Generator().manual_seed(0))
    sigma, y = logits.softmax(1), (0.5 * logits).softmax(1)
    facts = dict(zip(BATCH_FACTS, of_batch(sigma, y, y.log(), sigma - y).unbind(1), strict=True))
    mean = y.mean(2)
    torch.testing.assert_close(facts["kl_u_y"].float(), (0.2 * (0.2 / mean).log()).sum(1))
    torch.testing.assert_close(facts["entropy_y"].float(), torch.special.entr(y).sum(1).mean(1))
    assert facts["agreement"].tolist() == [1.0, 1.0]  # a cooler softmax has the same largest class
    torch.testing.assert_close(facts["min_mean_y"].float(), mean.amin(1))
    torch.testing.assert_close(facts["logit_gradient"].float(), (sigma - y).flatten(1).norm(dim=1))


def test_margins_are_the_gap_of_the_two_largest_logits_over_the_norm() -> None:
    logits = torch.randn(3, 4, 200, generator=torch.Generator().manual_seed(1))
    norm = torch.tensor([1.0, 2.0, 4.0])
    found = of_predictions(logits, norm)
    top = logits.topk(2, dim=1).values
    gaps = (top[:, 0] - top[:, 1]).sort(1).values / norm[:, None]
    torch.testing.assert_close(found["margin"], gaps[:, 0])
    torch.testing.assert_close(found["margin_01"], gaps[:, 2])
    torch.testing.assert_close(found["margin_05"], gaps[:, 10])
    expected = found["fairness"] - found["decisiveness"]
    torch.testing.assert_close(found["mutual_information"], expected)
    assert (found["mutual_information"] >= 0).all() and (found["fairness"] <= math.log(4)).all()


def test_one_class_has_no_margin() -> None:
    assert of_predictions(torch.randn(1, 1, 9), torch.ones(1))["margin"].tolist() == [0.0]


def test_norms_of_weights() -> None:
    found = of_weights(torch.tensor([[3.0, 4.0]]))
    assert found["weight_norm"].tolist() == [5.0] and found["soft_zone"].tolist() == pytest.approx([0.2])
    assert (found["min_class_norm"].item(), found["max_class_norm"].item()) == (3.0, 4.0)


def test_members_that_are_looked_at_in_turn_have_the_bits_of_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = torch.randn(5, 4, 300, generator=torch.Generator().manual_seed(0))
    norm = torch.linspace(1.0, 2.0, 5)
    together = of_predictions(logits, norm)
    monkeypatch.setattr(entropy, "AT_ONCE", 2_500)
    apart = of_predictions(logits, norm)
    assert apart.keys() == together.keys()
    assert all(torch.equal(apart[name], together[name]) for name in together)
