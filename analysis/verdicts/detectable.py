"""What a study could have found: the smallest difference that its seeds detect, at the spread that was observed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.data.study_view import StudyView
from analysis.number_format import number, unit
from analysis.verdicts.looks import looks_of
from analysis.verdicts.verdicts import Verdict
from orchestrator.inference.power import (
    Replication,
    Spread,
    as_looked_at,
    assess,
    detectable_collapse,
    discordant_needed,
    seeds_to_reach,
)

__all__ = ["POWER", "Detectable", "detectable"]

POWER = 0.8


@dataclass(frozen=True, kw_only=True)
class Detectable:
    """What the study finds with `POWER`: true differences where both work (ledger's units), and rates of collapse."""

    difference: float
    """At the spread of the middle contrast; nan: no spread was observed, inf: alpha is out of reach."""
    low: float
    high: float
    """The same at both ends of the 95 % interval of that spread."""
    noisiest: float
    """At the spread of the noisiest contrast."""
    collapse: float
    """Smallest rate of collapse of one arm beside one that always works; inf: none."""
    discordant_needed: int
    """Seeds on which only one of two arms works, all one way, that show that one works more often."""
    sentence: str


def detectable(study: StudyView, found: Sequence[Verdict]) -> Detectable | None:
    """Return what the study could have found; None if it tests nothing.

    At the first step of Holm over all contrasts, which is the level that each of them is sure to get.
    """
    if not found:
        return None
    alpha, n_seeds = float(study.record["alpha"]), len(study.record["seeds"]["seeds"])
    known = []
    for one in found:
        spread = one.judgement.descriptive.standard_deviation
        if spread > 0:  # nan and 0 say nothing about power
            known.append((spread, one.judgement.n_pairs))
    known.sort()
    replication, counted = _replication(study, found, n_seeds, alpha)
    collapse, needed = detectable_collapse(replication, POWER), discordant_needed(replication)
    of_collapse = _collapse_sentence(replication, collapse, needed, counted)
    if not known:
        lacking = "The smallest detectable effect is unknown: no contrast has two paired differences that differ."
        return Detectable(
            difference=math.nan,
            low=math.nan,
            high=math.nan,
            noisiest=math.nan,
            collapse=collapse,
            discordant_needed=needed,
            sentence=f"{lacking} {of_collapse}",
        )
    (sd, pairs), (most, most_pairs) = known[len(known) // 2], known[-1]
    middle = assess(replication, Spread(sd, pairs - 1), POWER)
    noisiest = assess(replication, Spread(most, most_pairs - 1), POWER)
    low, high = middle.detectable_interval
    of_living = _sentence(study, replication, (middle.detectable, low, high), noisiest.detectable, counted)
    return Detectable(
        difference=middle.detectable,
        low=low,
        high=high,
        noisiest=noisiest.detectable,
        collapse=collapse,
        discordant_needed=needed,
        sentence=f"{of_living} {of_collapse}",
    )


def _collapse_sentence(replication: Replication, rate: float, needed: int, counted: str) -> str:
    n = replication.n_seeds
    if not math.isfinite(rate):
        return (
            f"How often they work cannot be told apart with {n} {counted}: it takes {needed} on which only one works."
        )
    return (
        f"How often they work: {needed} of {n} {counted} on which only one works show it, so collapse on "
        f"{100 * rate:.0f} % beside an arm that never does is found with {100 * POWER:.0f} % power."
    )


def _replication(study: StudyView, found: Sequence[Verdict], n_seeds: int, alpha: float) -> tuple[Replication, str]:
    """Return what the tests see, and what they count: seeds; or stages, the fewest that a contrast has."""
    looks = looks_of(study.record)
    grouped = [one.judgement.sharing.n_units for one in found if one.judgement.sharing.grouped]
    if grouped:
        level = alpha / (looks.number if looks else 1)
        return as_looked_at(max(1, min(grouped)), len(found), level, None), "independent stages"
    return as_looked_at(n_seeds, len(found), alpha, looks), "seeds"


def _sentence(
    study: StudyView, replication: Replication, middle: tuple[float, float, float], noisiest: float, counted: str
) -> str:
    metric, n_seeds, alpha = study.metric, replication.n_seeds, replication.alpha
    n_contrasts = replication.contrasts
    family = f"{n_contrasts} contrast{'s' * (n_contrasts > 1)}"
    if not math.isfinite(middle[0]):
        needed = seeds_to_reach(n_contrasts, alpha)
        return f"{n_seeds} {counted} cannot reach p = {alpha:.3g} over {family}; {needed} can."
    looks = replication.looks.planned if replication.looks else ()
    seeds = f"up to {n_seeds} seeds in {len(looks)} looks" if looks else f"{n_seeds} {counted}"
    difference, low, high = (number(value, metric) for value in middle)
    text = (
        f"Smallest detectable effect where both work ({100 * POWER:.0f} % power, {seeds}, corrected over {family}): "
        f"{difference}{unit(metric)} at the observed spread of the paired "
        f"differences ({low} to {high} over the uncertainty of that spread)"
    )
    several = f" in the middle contrast, {number(noisiest, metric)} in the noisiest" if n_contrasts > 1 else ""
    return f"{text}{several}."
