"""Does the baseline work at all? It must beat chance by the margin that the study file states, on each dataset."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from analysis.data import study_view
from analysis.data.independent_values import Independent, independent
from analysis.data.study_view import StudyView
from analysis.number_format import name, number, p_text, unit
from orchestrator import discovery
from orchestrator.inference.sign_flip import sign_flip_p

__all__ = ["Footing", "footings"]


@dataclass(frozen=True, kw_only=True)
class Footing:
    """A baseline beside chance on one dataset. Numbers are in the ledger's units."""

    dataset: str
    method: str
    metric: str
    mean: float
    """Mean over the complete confirm seeds, collapsed trials included."""
    chance: float
    """What random partitions score; nan: not recorded."""
    margin: float
    p: float
    """Sign-flip p that the baseline does not beat chance by more than the margin; one-sided, uncorrected."""
    works: bool
    sentence: str


def footings(study: StudyView) -> list[Footing]:
    """Return, for each dataset, whether the baseline beats chance by the study's margin; empty if nothing is tested.

    The metric is the study's own if it is known what random partitions score there, else NMI. One test a dataset at the
    study's alpha, apart from the family of its contrasts: it is a precondition of what they mean, not one of them.
    """
    record = study.record
    if not record.get("contrasts"):
        return []
    metric = study.metric if discovery.metric(study.metric).chance is not None else "nmi"
    values = study_view.by_seed(study, metric)
    drawn = study_view.drawn_stages(study)
    found = [(arm, str(arm["name"])) for arm in record["arms"] if arm.get("role") == "baseline"]
    return [_footing(study, arm, metric, independent(values[name], drawn.get(name, {}))) for arm, name in found]


def _footing(study: StudyView, arm: Mapping[str, Any], metric: str, own: Independent) -> Footing:
    values = own.values
    record, dataset, method = study.record, str(arm["dataset"]), str(arm["method"])
    margin = float(record.get("beats_chance_by", math.nan))
    chance = float((record.get("chance") or {}).get(dataset, {}).get(metric, math.nan))
    mean = float(values.mean()) if len(values) else math.nan
    known = math.isfinite(mean - chance - margin)
    p = float(sign_flip_p(values - chance - margin, "greater")) if known else math.nan
    alpha = float(record["alpha"])
    found = Footing(
        dataset=dataset,
        method=method,
        metric=metric,
        mean=mean,
        chance=chance,
        margin=margin,
        p=p,
        works=known and p <= alpha,
        sentence="",
    )
    return replace(found, sentence=_sentence(found, own, alpha, str(record.get("tier", "local"))))


def _sentence(found: Footing, own: Independent, alpha: float, tier: str) -> str:
    who, metric = f"{found.method} on {found.dataset}", found.metric
    if math.isnan(found.mean):
        return f"Whether {who} beats chance is unknown: no baseline trial is complete."
    if math.isnan(found.chance - found.margin):
        return f"Whether {who} beats chance is unknown: the record of the study has no chance level."
    facts = (
        f"its baseline has {name(metric)} {number(found.mean, metric)}, guessing has {number(found.chance, metric)}, "
        f"and the study asks for {number(found.margin, metric)}{unit(metric)} more than that (one-sided sign-flip "
        f"{p_text(found.p)}, {own.counted})"
    )
    if found.works:
        return f"{who} beats chance: {facts}."
    enough = 2.0 ** -len(own.values) <= alpha
    few = "Differences between arms then say little." if enough else f"{own.counted} cannot show more."
    return f"{who} does not work at this tier ({tier}): {facts}. {few}"
