"""Where Arrow's memory comes from: of commands that look at a little and end, from the system.

Its own allocators keep memory for what comes next, a fifth of all that such a command takes. `pyarrow` asks the
environment once, when it first needs memory; so this module does not import it.
"""

from __future__ import annotations

import os

__all__ = ["keep_little"]


def keep_little() -> None:
    """Have memory given back as soon as it is done with; called before `pyarrow` is imported.

    What the user has chosen stays.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
