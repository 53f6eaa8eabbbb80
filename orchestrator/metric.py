"""A metric as its file declares it: the facts that the engine and the answers go by, and the function that computes it.

One file in `trainables/metrics` (or `metrics/` of a plugin folder) holds one metric as `METRIC`; the file's name is the
metric's. `discovery.metrics` lists them without importing torch: what a computation needs is imported inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Column: TypeAlias = npt.NDArray[np.float64]

__all__ = ["GUESSED", "Cost", "Metric", "also_computed", "undeclared", "with_added"]

GUESSED: Final = "guessed"
"""The chance level depends on the data: the mean over random partitions."""


class Cost(StrEnum):
    """When a metric is computed."""

    EVERY = "every evaluation"
    LAST = "last evaluation"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What is known of a metric wherever it is read.

    Raises:
        ValueError: facts that contradict each other.
    """

    written: str
    """Its name in tables, on axes and in sentences: "ACC", "neighbour MI"."""
    compute: Callable[[Any], Column | None] | None = None
    """From `trainables.partitions.scored.Scored` to (M,) numbers; None of a bundle without what it takes. No function:
    methods that know the number put `metric.<name>` into their rows themselves."""
    reads_labels: bool = False
    """External: may be reported and tested, but never steers training or selection unless the word oracle is there."""
    percent: bool = False
    """Within [0, 1] and printed times 100; differences of it are points."""
    larger_is_better: bool | None = True
    """None: neither end is better."""
    cost: Cost = Cost.EVERY
    chance: float | Literal["guessed"] | None = None
    """What random partitions score: a number by its definition, `GUESSED` by simulation, None if nobody can say."""
    ranks: bool = False
    """Whether configurations may be chosen by it: the rule has the metric's name."""

    def __post_init__(self) -> None:
        if not self.written:
            raise ValueError("a metric needs a written name")
        if self.ranks and (self.reads_labels or not self.larger_is_better):
            raise ValueError(f"{self.written}: only a metric that reads no labels and grows may rank configurations")
        if self.chance == GUESSED and self.compute is None:
            raise ValueError(f"{self.written}: chance is simulated of a metric that is computed from partitions")


def undeclared(name: str) -> Metric:
    """Return what is known of a number that no file declares, such as a method's own."""
    return Metric(written=name.replace("_", " "), larger_is_better=None)


_added: ContextVar[tuple[str, Metric, bool] | None] = ContextVar("_added", default=None)


@contextmanager
def also_computed(name: str, metric: Metric, *, alone: bool = False) -> Iterator[None]:
    """Have one more metric computed within the block: one that looks at partitions and gives no number, for instance.

    Args:
        name: under which it is known there.
        metric: what is computed.
        alone: whether no other metric is.
    """
    token = _added.set((name, metric, alone))
    try:
        yield
    finally:
        _added.reset(token)


def with_added(known: Mapping[str, Metric]) -> Mapping[str, Metric]:
    """Return the metrics that are known, with what `also_computed` adds."""
    added = _added.get()
    if added is None:
        return known
    name, metric, alone = added
    return {**({} if alone else known), name: metric}
