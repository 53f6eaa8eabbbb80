"""How a script tells its numbers: `from orchestrator.report import report`, then `report(epoch=3, loss=0.2, nmi=0.7)`.

It imports Python's own library only, so that the file can be copied beside a script that runs where this project is not
installed. Started by hand, the script prints its numbers instead.
"""

from __future__ import annotations

import json
import os

__all__ = ["report"]


def report(**numbers: float) -> None:
    """Say what holds now.

    Args:
        numbers: by name; `epoch` is of the first report 0 or 1, and counted on where it is left out. Whatever turns
            into a float may be one: a tensor of one number too.
    """
    line = json.dumps({name: int(value) if name == "epoch" else float(value) for name, value in numbers.items()})
    path = os.environ.get("ORCHESTRATE_REPORT")
    if not path:
        print(line, flush=True)
        return
    with open(path, "a", encoding="utf-8") as file:
        file.write(line + "\n")
