"""How much of each class the imbalance levels of paper 2303.16521 keep (nothing is thinned here)."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["imbalance_shares"]


def imbalance_shares(level: int, n_classes: int) -> Tensor:
    """Return the share of each class that is kept, (K,), at imbalance level 1, 2 or 3 of paper 2303.16521.

    With n = K // 2: level 1 keeps all of the first K - n classes and 1 - 0.2 t of the others, t from 0 to 1; levels 2
    and 3 keep 1 - 0.5 t and 1 - t, t from 0 to 1 - 1/K over all classes (its reference code, `cl_args.py`).
    """
    if level == 1:
        tail = n_classes // 2
        return torch.cat([torch.ones(n_classes - tail), 1.0 - 0.2 * torch.linspace(0.0, 1.0, tail)])
    ramp = torch.linspace(0.0, 1.0 - 1.0 / n_classes, n_classes)
    return 1.0 - (0.5 if level == 2 else 1.0) * ramp
