"""What methods with heads of learned centres log: sizes by head, the duals that hold them, the first head's centres."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from trainables.diagnostics.sphere import largest_centre_cosine, share_entropy, sizes

__all__ = ["of_centres", "of_heads"]


def of_heads(labels: Tensor, widths: Sequence[int]) -> dict[str, Tensor]:
    """Return, per member, the largest and smallest cluster of each head, and the entropy of the first one's sizes.

    Args:
        labels: (M, H, N) of H heads.
        widths: clusters of each head.
    """
    counts = [sizes(labels[:, head], width) for head, width in enumerate(widths)]
    columns = {f"diagnostic.max_size_{head}": own.amax(1) for head, own in enumerate(counts)}
    columns |= {f"diagnostic.min_size_{head}": own.amin(1) for head, own in enumerate(counts)}
    return columns | {"diagnostic.size_entropy": share_entropy(counts[0])}


def of_centres(raw: Tensor, duals: Tensor) -> dict[str, Tensor]:
    """Return, per member, facts of one head's raw centres (M, K, d) and of its dual variables (M, K)."""
    return {
        "diagnostic.dual_min": duals.amin(1),
        "diagnostic.dual_max": duals.amax(1),
        "diagnostic.dual_zeros": (duals == 0).sum(1),
        "diagnostic.centre_norm": torch.linalg.vector_norm(raw, dim=2).mean(1),
        "diagnostic.max_centre_cosine": largest_centre_cosine(raw),
    }
