"""A ledger's rows as CSV that a spreadsheet takes for nothing but rows, whoever wrote the texts in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_csv"]

_FORMULA = ("=", "@", "\t", "\r")
_SIGNED = re.compile(r"[-+](?!(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\Z)(?!inf\Z)", re.IGNORECASE)


def as_csv(frame: pd.DataFrame) -> str:
    """Return a frame as CSV in which no text is a formula: a spreadsheet shows a cell that begins with `'` as text."""
    shown = frame.copy()
    for name in frame.columns:
        if frame[name].dtype.kind not in "biufM":
            shown[name] = frame[name].map(_cell, na_action="ignore")
    return str(shown.rename(columns=_cell).to_csv(index=False))


def _cell(value: object) -> object:
    if isinstance(value, str) and (value.startswith(_FORMULA) or _SIGNED.match(value)):
        return f"'{value}"
    return value
