"""Does the baseline work at all? Where it works it must beat chance by the margin that the study file states."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.data import study_view
from analysis.data.independent_values import Independent, independent
from analysis.data.study_view import StudyView
from analysis.number_format import name, number, p_text, unit
from orchestrator import discovery
from orchestrator.inference.arm_seed_values import ArmSeedValues
from orchestrator.inference.collapse_test import upper_bound
from orchestrator.inference.paired_tests import holm, sign_test_p

__all__ = ["Footing", "footings"]


@dataclass(frozen=True, kw_only=True)
class Footing:
    """A baseline beside chance on one dataset. Numbers are in the ledger's units."""

    dataset: str
    method: str
    metric: str
    typical: float
    """Median over the seeds on which it works."""
    chance: float
    """What random partitions score; nan: not recorded."""
    margin: float
    values: Independent
    """On the seeds on which it works: it neither collapsed nor failed."""
    above: int
    """How many of them lie above chance and margin."""
    n_working: int
    n_seeds: int
    """Seeds with an outcome, working or not."""
    p_above: float
    """One-sided sign-test p that it does not lie above on most seeds; Holm over the baselines of the study."""
    p_below: float
    """The same that it does not lie below."""
    works: bool
    """Shown to beat chance by the margin, where it works."""
    fails: bool
    """Shown not to: it lies below on most seeds where it does not collapse, or never works."""
    sentence: str


def footings(study: StudyView) -> list[Footing]:
    """Return, for each dataset, whether the baseline beats chance by the study's margin; empty if nothing is tested.

    The metric is the study's own if it is known what random partitions score there, else NMI. The baselines of a study
    are a family at the study's alpha, apart from that of its contrasts: they are a precondition of what these mean.
    """
    record = study.record
    if not record.get("contrasts"):
        return []
    metric = study.metric if _is_known_there(study) else "nmi"
    table = study_view.arm_seed_values(study, metric)
    found = [_facts(study, arm, metric, table) for arm in record["arms"] if arm.get("role") == "baseline"]
    alpha, tier = float(record["alpha"]), str(record.get("tier", "local"))
    above, below = holm([one.p_above for one in found]), holm([one.p_below for one in found])
    return [_judged(one, (float(p), float(q)), alpha, tier) for one, p, q in zip(found, above, below, strict=True)]


def _is_known_there(study: StudyView) -> bool:
    """Return whether the footing is in the study's own metric: its chance level is recorded, or there are no labels."""
    recorded = (study.record.get("chance") or {}).values()
    facts = discovery.metric(study.metric)
    if facts.chance is not None and (facts.reads_labels or all(study.metric in levels for levels in recorded)):
        return True
    return bool(recorded) and not any("nmi" in levels for levels in recorded)


def _facts(study: StudyView, arm: Mapping[str, Any], metric: str, table: ArmSeedValues) -> Footing:
    title, dataset = str(arm["name"]), str(arm["dataset"])
    row = table.arms.index(title)
    works = table.works[row]
    living = {seed: float(table.values[row, i]) for i, seed in enumerate(table.seeds) if works[i] == 1.0}
    values = independent(living, table.drawn.get(title, {}))
    margin = float(study.record.get("beats_chance_by", math.nan))
    chance = float((study.record.get("chance") or {}).get(dataset, {}).get(metric, math.nan))
    sign = -1.0 if discovery.metric(metric).larger_is_better is False else 1.0
    over = sign * (values.values - chance) - margin
    known = bool(len(over)) and math.isfinite(chance + margin)
    return Footing(
        dataset=dataset,
        method=str(arm["method"]),
        metric=metric,
        typical=float(np.median(values.values)) if len(over) else math.nan,
        chance=chance,
        margin=margin,
        values=values,
        above=int((over > 0).sum()),
        n_working=len(living),
        n_seeds=int(np.isfinite(works).sum()),
        p_above=float(sign_test_p(over, "greater")) if known else math.nan,
        p_below=float(sign_test_p(-over, "greater")) if known else math.nan,
        works=False,
        fails=False,
        sentence="",
    )


def _judged(found: Footing, corrected: Sequence[float], alpha: float, tier: str) -> Footing:
    never = found.n_seeds > 0 and not found.n_working
    judged = replace(
        found,
        p_above=corrected[0],
        p_below=corrected[1],
        works=corrected[0] <= alpha,
        fails=corrected[1] <= alpha or never,
    )
    return replace(judged, sentence=_sentence(judged, alpha, tier))


def _sentence(found: Footing, alpha: float, tier: str) -> str:
    who, metric = f"{found.method} on {found.dataset}", found.metric
    if not found.n_seeds:
        return f"Whether {who} beats chance is unknown: no baseline trial has ended."
    if not found.n_working:
        return f"{who} does not work at this tier ({tier}): all {found.n_seeds} baseline trials collapsed or failed."
    if math.isnan(found.chance - found.margin):
        return f"Whether {who} beats chance is unknown: nobody says what random partitions score in {name(metric)}."
    facts = (
        f"its baseline has {name(metric)} {number(found.typical, metric)} where it works (median), guessing has "
        f"{number(found.chance, metric)}, and the study asks for {number(found.margin, metric)}{unit(metric)} "
        f"more than that: it has it on {found.above} of {found.values.counted}"
    )
    lives = _lives(found)
    if found.works:
        return f"{who} beats chance: {facts} (sign test, corrected {p_text(found.p_above)}). {lives}"
    if found.fails:
        return (
            f"{who} does not work at this tier ({tier}): {facts} (sign test that it lies below, corrected "
            f"{p_text(found.p_below)}). {lives} Differences between arms then say little."
        )
    few = "Differences between arms then say little."
    if 2.0 ** -len(found.values.values) > alpha:
        few = f"{found.values.counted} cannot show more."
    return (
        f"{who} is not shown to beat chance by the stated margin ({tier} tier): {facts} (sign test, corrected "
        f"{p_text(found.p_above)}). {lives} {few}"
    )


def _lives(found: Footing) -> str:
    """Say how often the baseline works, and what that allows."""
    gone = found.n_seeds - found.n_working
    allowed = 100 * upper_bound(gone, found.n_seeds)
    return f"It collapsed or failed on {gone} of {found.n_seeds} seeds, which allows up to {allowed:.0f} %."
