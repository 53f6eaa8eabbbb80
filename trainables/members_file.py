"""Whose checkpoint a folder holds: written before all else in it, so that the engine can hand the bundle out again."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from orchestrator.trial import MEMBERS_FILE

__all__ = ["name_members"]


def name_members(folder: Path, trial_ids: Sequence[str]) -> None:
    """Write whose checkpoint this folder holds, once and before the first checkpoint; see `trial.MEMBERS_FILE`."""
    path = folder / MEMBERS_FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{MEMBERS_FILE}.{platform.node()}-{os.getpid()}"
        temporary.write_text(json.dumps(list(trial_ids)))
        temporary.replace(path)
