"""Choosing epochs and configurations without labels; what labels would have added is in `optimism` beside it.

A rule maps values that were measured on *search* seeds to one configuration (or one epoch a trial).  Rules that read
labels begin with `oracle_`; any other rule may not touch an external metric.  A training loss is no common scale for
configurations whose differing knobs it contains, and is refused then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from orchestrator import discovery
from orchestrator.errors import RequestError, UnknownNameError

__all__ = [
    "Choice",
    "between_seed_mi",
    "choose_configuration",
    "choose_epochs",
    "configuration_rules",
    "external_metrics",
    "is_oracle",
    "metrics_of",
    "objective_metric",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OF_SEVERAL_TRIALS: Mapping[str, tuple[str, ...]] = {
    "between_seed_mi": ("between_seed_mi",),
    "rank_sum": ("neighbour_mi", "between_seed_mi"),
}
"""Label-free rules that compare the labelings of several seeds -> the metrics whose ranks they sum."""


@dataclass(frozen=True)
class Choice:
    """What a rule chose among configurations, and what it could not consider."""

    rule: str
    oracle: bool
    chosen: int | None
    """Row of the chosen configuration; None if every one was dropped."""
    scores: Floats
    """(configurations,) what the rule maximises; nan where dropped.  Mean over seeds, or the sum of ranks."""
    dropped: Mapping[int, str]
    """Row -> why it was not considered, with the seeds."""


def external_metrics() -> frozenset[str]:
    """Return the metrics that read labels, as their files say: only an `oracle_` rule may rank by them."""
    return frozenset(name for name, metric in discovery.metrics().items() if metric.reads_labels)


def configuration_rules() -> dict[str, tuple[str, ...]]:
    """Return each label-free rule -> metrics whose ranks it sums (one metric: its own order); larger is better.

    A metric whose file says `ranks` is a rule of its own. The default is `neighbour_mi`.
    """
    return {name: (name,) for name in _of_one_trial()} | dict(OF_SEVERAL_TRIALS)


def _of_one_trial() -> list[str]:
    """Return the label-free rules whose metric every trial has in its row."""
    return [name for name, metric in discovery.metrics().items() if metric.ranks]


def is_oracle(rule: str) -> bool:
    """Return whether the rule reads labels."""
    return rule.startswith("oracle_")


def metrics_of(
    rule: str, *, differing: Collection[str] = (), contained: Mapping[str, Collection[str]] | None = None
) -> tuple[str, ...]:
    """Return the metrics whose ranks a configuration rule sums, or refuse the rule.

    Args:
        rule: a name of `configuration_rules`, `oracle_<external metric>`, or a training loss by its name.
        differing: knobs in which the configurations to compare differ.
        contained: training loss -> the knobs that its value contains (weights, temperatures ...).

    Raises:
        UnknownNameError: no such rule.
        RequestError: a loss that contains a differing knob, or an external metric without `oracle_`.
    """
    losses, rules, external = contained or {}, configuration_rules(), external_metrics()
    if rule in rules:
        return rules[rule]
    if is_oracle(rule) and rule.removeprefix("oracle_") in external:
        return (rule.removeprefix("oracle_"),)
    if rule in external:
        raise RequestError(f"selection rule {rule!r} reads labels; say so: 'oracle_{rule}'")
    if rule in losses:
        clash = sorted(set(losses[rule]) & set(differing))
        if clash:
            raise RequestError(
                f"selection rule {rule!r} is refused: that loss contains {', '.join(clash)}, which differ between the "
                f"configurations; choose by one of: {', '.join(rules)}"
            )
        return (rule,)
    if "loss" in rule:
        raise RequestError(
            f"selection rule {rule!r} is refused: it is not known which knobs that loss contains; choose by one of: "
            f"{', '.join(rules)}, oracle_nmi or its like, or say direction='minimize' if the loss is on one scale for "
            "all configurations"
        )
    known = [*rules, *(f"oracle_{metric}" for metric in sorted(external))]
    raise UnknownNameError("selection rule", rule, known)


def objective_metric(rule: str) -> str:
    """Return the metric of a trial that a search by this rule maximises.

    Raises:
        UnknownNameError: no such rule.
        RequestError: a rule that reads labels without saying so, that is a training loss, or that compares the
            labelings of several seeds, which the ledger does not keep.
    """
    known = [*_of_one_trial(), *(f"oracle_{metric}" for metric in sorted(external_metrics()))]
    if rule not in {*known, *external_metrics(), *OF_SEVERAL_TRIALS} and "loss" not in rule:
        raise UnknownNameError("selection rule", rule, known)
    metrics = metrics_of(rule)
    if len(metrics) == 1 and rule not in OF_SEVERAL_TRIALS:
        return metrics[0]
    raise RequestError(
        f"selection rule {rule!r} compares the labelings of several seeds, which the ledger does not keep; search by "
        f"one of: {', '.join(_of_one_trial())}"
    )


def choose_configuration(
    values: Mapping[str, ArrayLike],
    collapsed: ArrayLike | None = None,
    rule: str = "neighbour_mi",
    *,
    differing: Collection[str] = (),
    contained: Mapping[str, Collection[str]] | None = None,
) -> Choice:
    """Choose one of several configurations that were trained on the same search seeds of one dataset.

    A configuration that collapsed or lacks a value on any seed is dropped and named: a mean over the seeds that
    happen to be left is on another footing than its rivals'.  Ties go to the first configuration.

    Args:
        values: metric -> (configurations, seeds); nan is missing or failed; larger is better, but for losses.
        collapsed: (configurations, seeds) flags; None: none collapsed.
        rule: as in `metrics_of`; a training loss is minimised.
        differing: as in `metrics_of`.
        contained: as in `metrics_of`.

    Raises:
        UnknownNameError: no such rule, or a metric that was not measured.
        RequestError: a refused rule.
    """
    metrics = metrics_of(rule, differing=differing, contained=contained)
    for metric in metrics:
        if metric not in values:
            raise UnknownNameError("metric", metric, values)
    sign = -1.0 if contained and rule in contained else 1.0
    tables = [sign * np.atleast_2d(np.asarray(values[metric], dtype=np.float64)) for metric in metrics]
    flags = np.zeros(tables[0].shape, dtype=bool) if collapsed is None else np.asarray(collapsed, dtype=bool)
    dropped = _dropped(tables, flags)
    kept = [row for row in range(len(flags)) if row not in dropped]
    scores = np.full(len(flags), np.nan)
    if kept:
        means = [table[kept].mean(axis=1) for table in tables]
        scores[kept] = means[0] if len(means) == 1 else _ranks(means)
    chosen = int(np.nanargmax(scores)) if kept else None
    return Choice(rule, is_oracle(rule), chosen, scores, dropped)


def _ranks(means: Sequence[Floats]) -> Floats:
    """Return each configuration's sum of its ranks by several metrics."""
    from scipy.stats import rankdata  # half of the time that a command takes to start, and few studies rank by two

    total: Floats = np.sum([rankdata(mean) for mean in means], axis=0)
    return total


def choose_epochs(curves: Mapping[str, ArrayLike], rule: str = "last") -> Ints:
    """Choose one evaluation of each trial.

    Args:
        curves: metric -> (trials, evaluations); nan is not measured.
        rule: `last`, a label-free metric measured at every evaluation, or `oracle_<external metric>`.

    Returns:
        (trials,) index of the evaluation; the last one where the rule's metric was never measured.  Ties go to
        the later evaluation, which is what `last` would report.

    Raises:
        UnknownNameError: a metric that was not measured.
        RequestError: an external metric without `oracle_`, or a training loss.
    """
    metric = rule.removeprefix("oracle_") if is_oracle(rule) else rule
    if rule in external_metrics():
        raise RequestError(f"epoch rule {rule!r} reads labels; say so: 'oracle_{rule}'")
    if "loss" in rule:
        raise RequestError(
            f"epoch rule {rule!r} is refused: a loss falls with training whatever becomes of the clusters"
        )
    shapes = {np.atleast_2d(np.asarray(curve)).shape for curve in curves.values()}
    if rule == "last":
        n_trials, n_evaluations = shapes.pop() if shapes else (0, 0)
        return np.full(n_trials, n_evaluations - 1, dtype=np.int64)
    if metric not in curves:
        raise UnknownNameError("epoch rule", rule, ["last", *(_epoch_rules(curves))])
    table = np.atleast_2d(np.asarray(curves[metric], dtype=np.float64))
    filled = np.where(np.isnan(table), -np.inf, table)
    epochs: Ints = table.shape[1] - 1 - np.argmax(filled[:, ::-1], axis=1).astype(np.int64)
    return epochs


def between_seed_mi(labelings: ArrayLike) -> Floats:
    """Mutual information (nats) between each seed's labeling and the others', averaged: (seeds,).

    Rewards configurations whose seeds agree *and* use many clusters; a single cluster has 0.

    Args:
        labelings: (seeds, N) integer clusters of the same N points; nan values are not allowed.

    Raises:
        RequestError: fewer than two seeds.
    """
    labels = np.asarray(labelings, dtype=np.int64)
    if labels.ndim != 2 or len(labels) < 2:
        raise RequestError("between-seed mutual information needs the labelings of at least two seeds")
    n_clusters = int(labels.max()) + 1
    table = np.zeros((len(labels), len(labels)))
    for i in range(len(labels)):
        for j in range(i):
            pairs = np.bincount(labels[i] * n_clusters + labels[j], minlength=n_clusters**2)
            table[i, j] = table[j, i] = _mutual_information(pairs.reshape(n_clusters, n_clusters))
    mean: Floats = table.sum(axis=1) / (len(labels) - 1)
    return mean


def _mutual_information(counts: Ints) -> float:
    joint = counts / counts.sum()
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    there = joint > 0
    return float(np.sum(joint[there] * np.log(joint[there] / independent[there])))


def _dropped(tables: Sequence[Floats], collapsed: NDArray[np.bool_]) -> dict[int, str]:
    dropped = {}
    for row in range(len(collapsed)):
        absent = np.flatnonzero(~np.isfinite([table[row] for table in tables]).all(axis=0))
        gone = np.flatnonzero(collapsed[row])
        reasons = [f"collapsed on {_places(gone)}"] if len(gone) else []
        reasons += [f"no value on {_places(absent)}"] if len(absent) else []
        if reasons:
            dropped[row] = "; ".join(reasons)
    return dropped


def _places(columns: NDArray[np.intp]) -> str:
    return f"seed column{'s' if len(columns) > 1 else ''} {', '.join(str(column) for column in columns)}"


def _epoch_rules(curves: Mapping[str, ArrayLike]) -> list[str]:
    external = external_metrics()
    return [f"oracle_{name}" if name in external else name for name in curves if "loss" not in name]
