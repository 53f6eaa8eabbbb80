"""Where the reports of a ledger go; without reading it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["COMMITTED", "place_for"]

COMMITTED = "ledger.json"
"""Marks a ledger that was exported to be kept (`orchestrator.ledger.exporting.MARK`): nothing is written into it."""


def place_for(results: Path, out: Path | None) -> Path:
    """Return where reports go: `out` if named, else beside the ledger; a committed ledger stays as it is."""
    if out is not None:
        return Path(out)
    return Path("answers") if (results / COMMITTED).is_file() else results
