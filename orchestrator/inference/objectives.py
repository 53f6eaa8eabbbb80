"""What a search goes by: a metric of its trials and the end of it that is better.

A selection rule without labels or an `oracle_` one brings its own metric and end. Beside them any number that a method
reports may be an objective: of a metric with a file, or that a study declares, its better end is known; of any other
one, and of a training loss, whoever asks for the search says the end. `note` is what a reader has to know then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator import discovery
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.inference.selection import (
    OF_SEVERAL_TRIALS,
    configuration_rules,
    external_metrics,
    is_oracle,
    metrics_of,
    objective_metric,
)
from orchestrator.metric import Metric

__all__ = ["DIRECTIONS", "Objective", "objective_of", "objectives_of", "recorded_objectives"]

DIRECTIONS = ("maximize", "minimize")


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A metric that a search goes by."""

    rule: str
    """As the search names it."""
    metric: str
    maximize: bool

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        """One of `DIRECTIONS`."""
        return "maximize" if self.maximize else "minimize"

    @property
    def sign(self) -> float:
        """What makes larger better: 1 or -1."""
        return 1.0 if self.maximize else -1.0

    def note(self, searched: Collection[str] = ()) -> str:
        """Return what has to be known of a choice by it, as a sentence; empty of rules that are known to need none.

        Args:
            searched: the knobs of the search.
        """
        if is_oracle(self.rule):
            return f"The choice by {self.rule} reads labels: where there are none it cannot be made."
        if self.rule in configuration_rules():
            return ""
        if "loss" in self.metric:
            knobs = f" ({', '.join(sorted(searched))})" if searched else ""
            return (
                f"The choice by {self.metric} goes by a loss: if that contains searched knobs{knobs}, it compares "
                "numbers on different scales, and a small weight alone can win."
            )
        return (
            f"The choice by {self.metric} goes by a number that the method reports: that it is on one scale for all "
            f"configurations, and reads no labels, is the word of whoever declared it; it is to be "
            f"{'large' if self.maximize else 'small'}."
        )


def objective_of(rule: str, direction: str = "", declared: Mapping[str, Metric] | None = None) -> Objective:
    """Return the objective that a rule or a metric's name stands for.

    Args:
        rule: a rule of `selection`, or the name of a metric that the method reports.
        direction: one of `DIRECTIONS`; empty: as it is known.
        declared: metrics that a method declares, beside those that have a file.

    Raises:
        UnknownNameError: there is neither such a rule nor such a metric, and no direction is stated.
        RequestError: a metric that reads labels without the word `oracle_`, a rule that compares several seeds, a
            direction that contradicts what is known, or one that is not known.
    """
    known = {**discovery.metrics(), **(declared or {})}
    if direction not in ("", *DIRECTIONS):
        raise UnknownNameError(f"direction of {rule}", direction, DIRECTIONS)
    metric = rule.removeprefix("oracle_") if is_oracle(rule) else rule
    facts = known.get(metric)
    if facts is not None and facts.reads_labels and not is_oracle(rule):
        raise RequestError(f"selection rule {rule!r} reads labels; say so: 'oracle_{rule}'")
    larger = None if facts is None else facts.larger_is_better
    if not _is_reported(rule, facts, direction):
        objective_metric(rule)  # refuses what is none
        larger = True if larger is None else larger
    stated = None if not direction else direction == DIRECTIONS[0]
    if larger is not None and stated is not None and larger != stated:
        end = "large" if larger else "small"
        raise RequestError(f"{metric} is to be {end}, says its declaration; direction {direction!r} contradicts it")
    if larger is None and stated is None:
        raise RequestError(f"which end of {metric} is better is not known; say direction='maximize' or 'minimize'")
    return Objective(rule=rule, metric=metric, maximize=bool(larger if stated is None else stated))


def _is_reported(rule: str, facts: Metric | None, direction: str) -> bool:
    """Return whether a rule is the plain name of a number that a method reports."""
    if rule in {**configuration_rules(), **OF_SEVERAL_TRIALS} or (facts is not None and facts.reads_labels):
        return is_oracle(rule) and rule.removeprefix("oracle_") not in external_metrics()
    if is_oracle(rule):
        return False
    return bool(direction) or (facts is not None and "loss" not in rule)


def objectives_of(
    rules: Sequence[str], directions: Sequence[str], declared: Mapping[str, Metric] | None = None
) -> tuple[Objective, ...]:
    """Return the objectives of a search; `directions` is empty, or has one for each rule.

    Raises:
        RequestError: as `objective_of`, another number of directions than of rules, or one metric twice.
    """
    if directions and len(directions) != len(rules):
        raise RequestError(f"{len(directions)} directions for {len(rules)} objectives; give each one, '' if known")
    each = directions or [""] * len(rules)
    found: dict[str, Objective] = {}
    for rule, own in zip(rules, each, strict=True):
        objective = objective_of(rule, own, declared)
        if objective.metric in found:
            raise RequestError(
                f"objectives {found[objective.metric].rule!r} and {rule!r} look at one metric; name it once"
            )
        found[objective.metric] = objective
    return tuple(found.values())


def recorded_objectives(search: Mapping[str, Any]) -> tuple[Objective, ...]:
    """Return the objectives of a search's entry in study.json; records from before directions maximise all rules."""
    rules = [str(rule) for rule in search["rules"]]
    directions = search.get("directions") or [DIRECTIONS[0]] * len(rules)
    found = []
    for rule, direction in zip(rules, directions, strict=True):
        metric = metrics_of(rule)[0] if rule in configuration_rules() else rule.removeprefix("oracle_")
        found.append(Objective(rule=rule, metric=metric, maximize=direction == DIRECTIONS[0]))
    return tuple(found)
