"""Datasets once loaded, the options of a reference, views, and features of frozen encoders."""

from __future__ import annotations

from typing import Any

__all__ = ["Dataset"]


def __getattr__(name: str) -> Any:
    """Return `Dataset` without loading torch for those who only ask where data lie."""
    if name == "Dataset":
        from trainables.data.dataset import Dataset

        return Dataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
