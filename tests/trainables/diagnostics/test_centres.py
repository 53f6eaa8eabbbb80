"""Sizes by head, duals and centres against counts by hand."""

from __future__ import annotations

import torch

from trainables.diagnostics.centres import of_centres, of_heads


def test_sizes_are_counted_head_by_head() -> None:
    labels = torch.tensor([[[0, 0, 1, 1], [2, 2, 2, 0]]])
    found = of_heads(labels, [2, 3])
    assert [float(found[f"diagnostic.{which}_size_{head}"]) for head in (0, 1) for which in ("max", "min")] == [
        2,
        2,
        3,
        0,
    ]
    assert float(found["diagnostic.size_entropy"]) == 1.0


def test_facts_of_centres_and_duals() -> None:
    raw = torch.tensor([[[3.0, 0.0], [0.0, 1.0]]])
    found = of_centres(raw, torch.tensor([[0.0, -0.5]]))
    assert float(found["diagnostic.centre_norm"]) == 2.0
    assert float(found["diagnostic.max_centre_cosine"]) == 0.0
    assert [float(found[f"diagnostic.dual_{name}"]) for name in ("min", "max", "zeros")] == [-0.5, 0.0, 1.0]
