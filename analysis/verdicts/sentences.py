"""A judgement in words: how good it is where both sides work, and how often they work; nothing is tested here."""

from __future__ import annotations

import math
from collections.abc import Iterator

from analysis.number_format import join, name, number, p_text, seeds_text, sides, signed, span, unit
from orchestrator.designs.base import Contrast
from orchestrator.inference.judgement import Judgement

__all__ = ["sentence", "works_word", "works_words"]

Words = tuple[str, str]
"""What is changed, and what it is compared with."""


def sentence(contrast: Contrast, dataset: str, judgement: Judgement, metric: str) -> str:
    """Return what is said of a contrast.

    Args:
        contrast: what was compared.
        dataset: named in the sentence; empty: the study has one.
        judgement: what was found.
        metric: the metric that was judged.
    """
    living = {"effect": _effect, "equivalent": _equivalent, "inconclusive": _inconclusive, "refused": _refused}
    text = living[judgement.decision](_subject(contrast, dataset), judgement, metric)
    where = f" on {dataset}" if dataset else ""
    return " ".join([text.replace("{where}", where), works_words(judgement), *_remarks(judgement, metric)])


def works_word(judgement: Judgement) -> str:
    """Return how often the first side works beside the second, in a few words."""
    working = judgement.working
    if working.shown:
        return f"works {'less' if working.alone[0] > working.alone[1] else 'more'} often"
    if not working.n_seeds:
        return "not known"
    return "not told apart" if any(working.not_working) else "all work"


def works_words(judgement: Judgement) -> str:
    """Return how often the sides work, with what these outcomes still allow."""
    working = judgement.working
    counted = "draws" if judgement.sharing.grouped else "seeds"
    if not working.n_seeds:
        return "How often they work is not known."
    if not any(working.not_working):
        allowed = _percent(working.bound)
        return f"Both work on all {working.n_seeds} {counted}, which still allows {allowed} where only one does."
    first, second = (number(value) for value in working.not_working)
    counts = f"collapse or failure on {first} of {working.n_seeds} {counted} against {second}"
    if working.shown:
        return f"It {works_word(judgement)}: {counts} (exact, paired; corrected {p_text(working.p_corrected)})."
    return (
        f"How often they work is not told apart: {counts} ({sum(working.alone)} differ, {working.needed} all one way "
        f"are needed; up to {_percent(working.bound)} may)."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _subject(contrast: Contrast, dataset: str) -> Words:
    """Return the contrast in words: what is changed, and what it is compared with."""
    short = {arm: arm.removesuffix(f" @ {dataset}") for arm in contrast.weights}
    if contrast.kind == "difference":
        plus = [short[arm] for arm, weight in contrast.weights.items() if weight > 0]
        minus = [short[arm] for arm, weight in contrast.weights.items() if weight < 0]
        return join(plus), f" against {join(minus)}"
    factor = contrast.factor or contrast.name
    if contrast.kind == "trend":
        return f"Raising {factor} from its first to its last level", ""
    if contrast.kind == "effect" and " vs " in contrast.name:
        level, other = contrast.name.split(" vs ")
        return level, f" against {other}, over all other levels,"
    if contrast.kind == "effect":
        return f"Changing {factor} from its first to its second level", ""
    return f"The interaction {factor}", ""


def _numbers(judgement: Judgement, metric: str) -> str:
    """Return "better on 9 of 12 seeds (95 % interval ..., corrected p ...)"."""
    living, interval = judgement.living, judgement.interval
    counted = "stages" if judgement.sharing.grouped else "seeds"
    n, larger = len(living.seeds), _is_larger(judgement)
    side = sides(metric)[not larger]
    of_median = " of the median" if living.by_signs else ""
    confidence = f"{100 * interval.confidence:g} % interval{of_median}"
    shown = (
        f"{confidence} {span(interval.low, interval.high, metric)}"
        if interval.attainable
        else f"no {confidence} exists"
    )
    stages = f"; {judgement.sharing.n_units} stages of {judgement.sharing.n_seeds} seeds" * judgement.sharing.grouped
    equal = n - living.better - living.worse
    tied = f", equal on {equal}" if equal else ""
    agreeing = living.better if larger else living.worse
    return f"{side} on {agreeing} of {n} {counted}{tied} ({shown}; corrected {p_text(judgement.p_corrected)}{stages})"


def _is_larger(judgement: Judgement) -> bool:
    """Return the side of which the seeds are counted: the majority where that is claimed, else that of the mean."""
    living = judgement.living
    if living.by_signs or living.most or living.direction == 0:
        return living.better >= living.worse
    return living.direction > 0


def _effect(words: Words, judgement: Judgement, metric: str) -> str:
    living, equivalence = judgement.living, judgement.equivalence
    more = ""
    if living.by_signs:
        more = " The largest difference outweighs the others, so signs were counted."
    elif not living.most:
        more = f" That it is {sides(metric)[not _is_larger(judgement)]} on most seeds is not shown."
    if not living.agree:
        more += " Mean and majority of the seeds point opposite ways: which is better depends on what is asked."
    if equivalence is not None and equivalence.equivalent:
        more += (
            f" That the typical difference is within the margin of ±{number(equivalence.margin, metric)} is shown too."
        )
    said = _claimed(words, judgement, metric)
    return f"{said} where both work: {_mean(judgement, metric)}, {_numbers(judgement, metric)}.{more}"


def _claimed(words: Words, judgement: Judgement, metric: str) -> str:
    """Return what is claimed, "where" left open: that the sides differ, or that one is better on most seeds."""
    who, versus = words
    living, larger = judgement.living, _is_larger(judgement)
    most = living.most or living.by_signs
    if not versus:
        verb = ("raises" if larger else "lowers") if most else "changes"
        return f"{who} {verb} {name(metric)}{' on most seeds' if most else ''}{{where}}"
    if most:
        than = versus.replace(" against", " than", 1)
        return f"{who} is {sides(metric)[not larger]}{than} in {name(metric)} on most seeds{{where}}"
    return f"{who} differs{versus.replace(' against', ' from', 1)} in {name(metric)}{{where}}"


def _mean(judgement: Judgement, metric: str) -> str:
    """Return "mean difference +1.8 points"."""
    return f"mean difference {signed(judgement.estimate, metric)}{unit(metric)}"


def _equivalent(words: Words, judgement: Judgement, metric: str) -> str:
    assert judgement.equivalence is not None  # the decision says so
    who, versus = words
    margin = number(judgement.equivalence.margin, metric)
    return (
        f"{who} makes no typical difference to {name(metric)} beyond ±{margin}{unit(metric)}{versus}{{where}} where "
        f"both work: {_mean(judgement, metric)}, {_numbers(judgement, metric)}; equivalence "
        f"{p_text(judgement.equivalence.p_corrected)}."
    )


def _inconclusive(words: Words, judgement: Judgement, metric: str) -> str:
    who, versus = words
    margin = ""
    if judgement.equivalence is not None:
        margin = f" A typical difference beyond ±{number(judgement.equivalence.margin, metric)} is not excluded."
    reason = judgement.reason if "cannot reach" in judgement.reason or judgement.turned else ""
    reason = f" {reason[0].upper()}{reason[1:]}." if reason else ""
    return (
        f"{who} is inconclusive{versus} in {name(metric)}{{where}} where both work: {_mean(judgement, metric)}, "
        f"{_numbers(judgement, metric)}.{margin}{reason}"
    )


def _refused(words: Words, judgement: Judgement, metric: str) -> str:
    who, versus = words
    return f"{who} was not tested{versus}{{where}} on {name(metric)}: {judgement.reason}."


def _remarks(judgement: Judgement, metric: str) -> Iterator[str]:
    """Yield what must stand beside the verdict: the mean with collapses, seeds left out, shared draws, skewness."""
    overall = judgement.overall
    if any(judgement.working.not_working) and math.isfinite(overall.estimate):
        ends = overall.interval
        yield (
            f"Mean over all complete pairs, collapsed ones included: {signed(overall.estimate, metric)} (t interval "
            f"{span(ends.low, ends.high, metric)}; described, not tested)."
        )
    if judgement.living.skewed:
        yield "The differences are visibly skewed: their mean is not their typical size."
    if judgement.missing:
        yield f"Left out, because a trial is missing: {seeds_text([one.seed for one in judgement.missing])}."
    if judgement.sharing.grouped:
        yield (
            f"Seeds that share a stage are one draw and were averaged first: the test counts "
            f"{judgement.sharing.n_units} stages, not {judgement.sharing.n_seeds} seeds."
        )
    if judgement.sharing.common:
        yield (
            f"Made once, for all seeds: {join(judgement.sharing.common)}; the interval covers what comes after it, not "
            "how it would vary if it were made again."
        )
    if judgement.looks and judgement.decided_at < judgement.looks[-1]:
        yield f"Estimate and interval are of the look at {judgement.decided_at} seeds, which decided."
    if judgement.futile:
        yield "More seeds, up to the last planned look, are unlikely to decide it."
