"""The engine: studies in, trials on a cluster, one ledger, decisions out; it knows no method, dataset or figure.

From Python: `run_study` and `load_results`, with `Study` and the designs to write a question (`orchestrator.api`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.api import Answer as Answer
    from orchestrator.api import Results as Results
    from orchestrator.api import Step as Step
    from orchestrator.api import load_results as load_results
    from orchestrator.api import run_study as run_study
    from orchestrator.study import Study as Study

__all__ = ["Answer", "Results", "Step", "Study", "load_results", "run_study"]

__version__ = "0.1.0"

BEGAN = time.time()
"""When this process imported the engine, which every method imports: files that are older are those that it runs."""


def __getattr__(name: str) -> Any:
    """Return a name of the Python interface, loaded when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'orchestrator' has no attribute {name!r}; it has: {', '.join(__all__)}")
    if name == "Study":
        from orchestrator.study import Study

        return Study
    from orchestrator import api

    return getattr(api, name)
