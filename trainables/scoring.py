"""Scores of partitions: one row of metrics per member, and what guessing would score.

Which metrics there are is found by the folder `metrics/`. Importing this loads NumPy only; torch, which has to be there
anyway where something is trained, is met inside functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from orchestrator import discovery
from orchestrator.metric import GUESSED, Cost, Metric
from trainables.partitions.scored import Scored
from trainables.partitions.tables import Floats

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.data.dataset import Dataset

__all__ = ["add_columns", "chance_levels", "diagnostics", "known_metrics", "measuring", "score"]

_DRAWS = 50
_SEED = 20_240_302

_plugins: ContextVar[tuple[str, ...]] = ContextVar("_plugins", default=())


@contextmanager
def measuring(plugins: Sequence[str]) -> Iterator[None]:
    """Compute the metrics of these plugin folders too within the block."""
    token = _plugins.set(tuple(plugins))
    try:
        yield
    finally:
        _plugins.reset(token)


def known_metrics() -> Mapping[str, Metric]:
    """Return the metrics that have a file, those of plugin folders in use among them."""
    return discovery.metrics(_plugins.get())


def score(
    predictions: Tensor, data: Dataset, n_clusters: int, last: bool, features: Tensor | None = None
) -> list[dict[str, float]]:
    """Return one row of metrics per member.

    Args:
        predictions: (M, N) int64 cluster of each of `data.eval_inputs`, 0 <= cluster < n_clusters.
        data: what was clustered; its labels reach metrics that declare it only.
        n_clusters: K, the number of clusters the method may use; need not be the number of classes.
        last: adds the metrics that are computed at the last evaluation only.
        features: (M, P, d) learned features whose collapse counts too; None for methods without.

    Returns:
        Rows of `metric.<name>`. Mutual information is in nats; shares are in [0, 1].
    """
    hard = predictions.detach().cpu().numpy()
    scored = Scored(hard, data.eval_labels.numpy(), n_clusters, data.n_classes, data, features)
    rows: list[dict[str, float]] = [{} for _ in hard]
    add_columns(rows, _columns(discovery.metrics(_plugins.get()), scored, last))
    return rows


def add_columns(rows: Sequence[dict[str, float]], columns: Mapping[str, Tensor | Floats]) -> None:
    """Write numbers of all members into their rows.

    Args:
        rows: one per member.
        columns: name -> (M,) numbers.
    """
    for name, column in columns.items():
        for row, number in zip(rows, column.tolist(), strict=True):
            row[name] = float(number)


def diagnostics(columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return columns under the names that the ledger has for what a method logs, `diagnostic.<name>`."""
    return {f"diagnostic.{name}": column for name, column in columns.items()}


def _columns(metrics: Mapping[str, Metric], scored: Scored, last: bool) -> dict[str, Floats]:
    columns: dict[str, Floats] = {}
    for name, metric in metrics.items():
        given = scored.known if metric.reads_labels else scored
        if given is not None and metric.compute is not None and (last or metric.cost is Cost.EVERY):
            column = metric.compute(given)
            if column is not None:
                columns[f"metric.{name}"] = column
    return columns


def chance_levels(
    labels: ArrayLike, n_clusters: int, plugins: Sequence[str] = (), data: Dataset | None = None
) -> dict[str, float]:
    """Return the mean of each metric over random partitions into `n_clusters` clusters of equal size.

    Metrics adjusted for chance are 0 by their definition. The others are simulated (50 partitions, fixed seed), as they
    depend on the number of points and on the sizes of the classes: the standard error of ACC and NMI is below 0.1
    points for 1,000 points. A metric whose chance level nobody can say is left out, and one that reads labels where
    no label is known.

    Args:
        labels: (points,) whole numbers; below 0: nobody knows.
        n_clusters: clusters of the random partitions, from 1.
        plugins: folders with a user's own metrics.
        data: what was clustered, for metrics that look at the points; None: these are left out.
    """
    given = np.asarray(labels)
    kept, classes = np.unique(given, return_inverse=True)
    unknown = int((kept < 0).sum())
    classes = np.where(given < 0, -1, classes - unknown)
    random = np.random.default_rng(_SEED)
    partition = np.arange(len(classes)) % n_clusters
    hard = np.stack([random.permutation(partition) for _ in range(_DRAWS)])
    guesses = Scored(hard, classes.astype(np.int64), n_clusters, len(kept) - unknown, data)
    levels: dict[str, float] = {}
    for name, metric in discovery.metrics(plugins).items():
        seen = guesses.known if metric.reads_labels else guesses
        if seen is None or metric.chance is None:
            continue
        if metric.chance != GUESSED:
            levels[name] = float(metric.chance)
        elif metric.reads_labels or data is not None:
            assert metric.compute is not None  # `Metric` refuses it
            column = metric.compute(seen)
            assert column is not None, f"{name} is computed from labels, or from points"
            levels[name] = float(column.mean())
    return levels
