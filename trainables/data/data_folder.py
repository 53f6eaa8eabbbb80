"""Where data that no package brings lies on this machine: one folder, chosen by an environment variable."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["VARIABLE", "data_folder"]

VARIABLE = "ORCHESTRATE_DATA"
"""Name of the environment variable; workers on other machines need it too, or the same default folder."""

DEFAULT = Path("~", ".cache", "orchestrate", "data")


def data_folder() -> Path:
    """Return the folder under which torchvision's layouts, image folders and features of encoders lie.

    `$ORCHESTRATE_DATA`, else `~/.cache/orchestrate/data`. It need not exist.
    """
    return Path(os.environ.get(VARIABLE) or DEFAULT).expanduser()
