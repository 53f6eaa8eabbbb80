"""Where bundles are trained: in this process, on a Ray cluster through Ray Tune, or by an executor of one's own."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator import discovery
from orchestrator.executors.base import Executor, ExecutorOptions

__all__ = ["executor_of"]

RAY_TUNE = "ray_tune"


def executor_of(options: ExecutorOptions, plugins: Sequence[str] = ()) -> Executor:
    """Return the executor of an address, not started.

    `inline` and the names of further executors stand for themselves, with what they need behind a colon; any other
    address is one of Ray.

    Raises:
        RequestError: an option that the executor does not understand.
    """
    name = options.address.partition(":")[0]
    kind = None
    if name in discovery.names("executor", plugins):
        kind = getattr(discovery.find("executor", name, plugins), "EXECUTOR", None)  # HOST may have any name
    if kind is None:
        kind = discovery.find("executor", RAY_TUNE).EXECUTOR
    made: Executor = kind.of(options)
    return made
