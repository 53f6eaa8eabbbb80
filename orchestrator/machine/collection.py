"""How often Python looks for unused cycles: seldom while modules are imported and pages are made, as usual in training.

An import makes hundreds of thousands of objects, none of them unused, through which Python goes again and again
(measured: a fifth of the time of importing PyTorch and Ray). What trains may leave cycles that hold much memory.
"""

from __future__ import annotations

import gc

__all__ = ["as_usual", "seldom"]

USUAL = gc.get_threshold()


def seldom() -> None:
    """Have Python look once in a while."""
    gc.set_threshold(100_000, 50, 100)


def as_usual() -> None:
    """Have Python look as often as it does by itself."""
    gc.set_threshold(*USUAL)
