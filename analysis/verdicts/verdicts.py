"""One sentence per contrast, computed from its judgement; nothing is tested here (`orchestrator.inference` does)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.number_format import join, name, number, p_text, seeds_text, signed, span, unit
from orchestrator.designs.base import Contrast
from orchestrator.inference.judgement import Judgement
from orchestrator.inference.sequential import Looks
from orchestrator.inference.shared_draws import Seeds
from orchestrator.inference.verdict_chain import judge

__all__ = ["Verdict", "contrasts_of", "heading", "looks_of", "looks_sentence", "missing_sentences", "verdicts"]

WORDS = {"effect": "effect", "equivalent": "no difference", "inconclusive": "inconclusive", "refused": "not tested"}


@dataclass(frozen=True)
class Verdict:
    """A contrast's judgement and the sentence that says it; `word` is one of the values of `WORDS`."""

    contrast: Contrast
    dataset: str
    judgement: Judgement
    sentence: str

    @property
    def word(self) -> str:
        """The decision in a word or two, for tables and figures."""
        both = self.judgement.decision == "effect" and is_equivalent(self.judgement)
        return "effect within margin" if both else WORDS[self.judgement.decision]


def is_equivalent(judgement: Judgement) -> bool:
    """Return whether equivalence within the stated margin was shown (an effect may be shown beside it)."""
    return judgement.equivalence is not None and judgement.equivalence.equivalent


def contrasts_of(record: Mapping[str, Any]) -> list[tuple[Contrast, str]]:
    """Return the contrasts of a study's record with their datasets."""
    return [
        (
            Contrast(
                name=entry["name"],
                weights=entry["weights"],
                kind=entry.get("kind", "difference"),
                factor=entry.get("factor", ""),
                level=entry.get("level", ""),
            ),
            str(entry.get("dataset", "")),
        )
        for entry in record.get("contrasts", ())
    ]


def verdicts(study: StudyView, metric: str | None = None) -> list[Verdict]:
    """Judge every contrast of a study on its confirm seeds and say what was found, in the order of the record.

    Args:
        study: the view.
        metric: the metric to judge; None: the study's own. The margin is stated for the study's own only.
    """
    chosen = metric or study.metric
    found = contrasts_of(study.record)
    margin = study.record.get("margin") if chosen == study.metric else None
    judgements = judge(
        study_view.by_seed(study, chosen),
        study_view.collapsed_by_seed(study),
        [contrast for contrast, _ in found],
        alpha=float(study.record["alpha"]),
        margin=margin,
        looks=looks_of(study.record),
        seeds=Seeds([int(seed) for seed in study.record["seeds"]["seeds"]], study_view.drawn_stages(study)),
    )
    several = len(study.record["datasets"]) > 1
    return [
        Verdict(contrast, dataset, judgement, _sentence(contrast, dataset if several else "", judgement, chosen))
        for (contrast, dataset), judgement in zip(found, judgements, strict=True)
    ]


def tally(found: Sequence[Verdict], tier: str) -> str:
    """Return one sentence that counts the decisions and names the tier that they are about; empty without contrasts."""
    counts = Counter(verdict.word for verdict in found)
    parts = [f"{count} {word}" for word, count in counts.most_common()]
    return f"At the {tier} tier, of {len(found)} contrast{'s' * (len(found) > 1)}: {join(parts)}." if found else ""


def looks_of(record: Mapping[str, Any]) -> Looks | None:
    """Return the looks that must be paid for; None for a study with fixed seeds that was looked at once, as planned."""
    seeds = record["seeds"]
    taken = sorted({int(look["n_seeds"]) for look in record.get("looks_taken") or ()})
    planned = [int(n) for n in seeds.get("planned") or seeds.get("looks") or taken[:1]]
    if not planned or (len(planned) == 1 and taken in ([], planned)):
        return None
    return Looks(planned=tuple(planned), taken=tuple(taken))


def heading(study: StudyView) -> str:
    """Return what all sentences have in common: tier, data, seeds, test, and whether the study is exploratory."""
    record = study.record
    seeds = record["seeds"]
    n_seeds = len(seeds["seeds"])
    precision = record.get("precision", "float32")
    how = f"forward passes in {precision}, " if precision != "float32" else ""
    start = "Exploratory, so no claim: " if record.get("exploratory") else ""
    return (
        f"{start}{record.get('tier', 'local')} tier, {join([str(d) for d in record['datasets']])}, "
        f"protocol {record.get('protocol', 'whole')}, {how}{n_seeds} paired {seeds['block']} seeds; sign-flip "
        f"tests at a family-wise error of {record['alpha']:g} over {len(record.get('contrasts', ()))} contrasts (Holm)."
    )


def looks_sentence(record: Mapping[str, Any]) -> str:
    """Return the looks that were taken at the study and what they saved; empty for a single look of a fixed plan."""
    looks = record.get("looks_taken") or ()
    by_hand = [look for look in looks if not look.get("planned", True)]
    numbers = join([str(look["n_seeds"]) for look in looks])
    sequential = record["seeds"].get("looks")
    if not looks or (len(looks) < 2 and not by_hand and not sequential):
        return ""
    unplanned = f", {len(by_hand)} of them not planned" if by_hand else ", all planned"
    if len(looks) == 1:
        unplanned = ", which was not planned" if by_hand else ", as planned"
    said = f"{len(looks)} look{'s' * (len(looks) > 1)} taken at the results, with {numbers} seeds{unplanned}."
    if not sequential:
        return said
    n_seeds = len(record["seeds"]["seeds"])
    saved = Looks(tuple(int(n) for n in sequential)).saving(n_seeds)
    ended = f"it stopped there and saved {100 * saved:.0f} % of them" if saved else "none of them was saved"
    return f"{said} Of {sequential[-1]} planned seeds the study took {n_seeds}: {ended}."


def missing_sentences(study: StudyView) -> list[str]:
    """Name every arm that lacks seeds, and what became of them."""
    found = []
    for arm, row in study_view.arm_table(study).iterrows():
        kinds = [f"{row[kind]} {kind}" for kind in ("failed", "pruned", study_view.MISSING) if row[kind]]
        if kinds:
            found.append(f"{arm}: {join(kinds)} of {row['planned']} trials ({seeds_text(row['without'])}).")
    return found


def _sentence(contrast: Contrast, dataset: str, judgement: Judgement, metric: str) -> str:
    where = f" on {dataset}" if dataset else ""
    who, versus = _subject(contrast, dataset)
    text = {
        "effect": _effect,
        "equivalent": _equivalent,
        "inconclusive": _inconclusive,
        "refused": _refused,
    }[judgement.decision](who, versus, judgement, metric)
    return " ".join([text.replace("{where}", where), *_remarks(judgement, metric)])


def _subject(contrast: Contrast, dataset: str) -> tuple[str, str]:
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
    """Return "(95 % interval ..., corrected p ..., n pairs)"."""
    interval = judgement.interval
    confidence = f"{100 * interval.confidence:g} % interval"
    shown = (
        f"{confidence} {span(interval.low, interval.high, metric)}"
        if interval.attainable
        else f"no {confidence} exists at {judgement.n_pairs} {'stages' if judgement.sharing.grouped else 'pairs'}"
    )
    counted = f"{judgement.sharing.n_units} stages of {judgement.sharing.n_seeds} seed pairs"
    pairs = counted if judgement.sharing.grouped else f"{judgement.n_pairs} seed pairs"
    return f"({shown}; corrected {p_text(judgement.p_corrected)}; {pairs})"


def _effect(who: str, versus: str, judgement: Judgement, metric: str) -> str:
    up = judgement.estimate > 0
    size = number(abs(judgement.estimate), metric)
    margin = ""
    if judgement.equivalence is not None and judgement.equivalence.equivalent:
        margin = f" The effect is real but within the margin of ±{number(judgement.equivalence.margin, metric)}."
    verb = "is" if versus else "raises" if up else "lowers"
    how = f"{size}{unit(metric)} {'above' if up else 'below'}{versus.removeprefix(' against')} in {name(metric)}"
    said = how if versus else f"{name(metric)} by {size}{unit(metric)}"
    return f"{who} {verb} {said}{{where}} {_numbers(judgement, metric)}.{margin}"


def _equivalent(who: str, versus: str, judgement: Judgement, metric: str) -> str:
    assert judgement.equivalence is not None  # the decision says so
    margin = number(judgement.equivalence.margin, metric)
    return (
        f"{who} makes no difference to {name(metric)} beyond ±{margin}{unit(metric)}{versus}{{where}}: "
        f"{signed(judgement.estimate, metric)} {_numbers(judgement, metric)}; equivalence "
        f"{p_text(judgement.equivalence.p_corrected)}."
    )


def _inconclusive(who: str, versus: str, judgement: Judgement, metric: str) -> str:
    margin = ""
    if judgement.equivalence is not None:
        margin = f" A difference beyond ±{number(judgement.equivalence.margin, metric)} is not excluded."
    reason = f" {judgement.reason[0].upper()}{judgement.reason[1:]}." if "cannot reach" in judgement.reason else ""
    return (
        f"{who} is inconclusive{versus}{{where}}: {name(metric)} {signed(judgement.estimate, metric)}"
        f"{unit(metric)} {_numbers(judgement, metric)}.{margin}{reason}"
    )


def _refused(who: str, versus: str, judgement: Judgement, metric: str) -> str:
    return f"{who} was not tested{versus}{{where}} on {name(metric)}: {judgement.reason}."


def _remarks(judgement: Judgement, metric: str) -> Iterable[str]:
    """Yield what must stand beside the effect: collapse, seeds left out, an interval not to be trusted."""
    (gone, base_gone), (trained, base_trained) = judgement.collapse.collapsed, judgement.collapse.trained
    if gone or base_gone:
        kept = judgement.non_collapsed
        rest = (
            f"; without collapsed trials {signed(kept.estimate, metric)} over {len(kept.seeds)} pairs"
            if math.isfinite(kept.estimate)
            else ""
        )
        yield (
            f"Collapsed: {gone} of {trained} against {base_gone} of {base_trained} (Fisher, corrected "
            f"{p_text(judgement.collapse.p_corrected)}){rest}."
        )
    if judgement.missing:
        seeds = seeds_text([one.seed for one in judgement.missing])
        yield f"Left out, because a trial is missing or failed: {seeds}."
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
    if judgement.futile:
        yield "More seeds, up to the last planned look, are unlikely to decide it."
    if judgement.interval_unreliable:
        yield "Interval unreliable: fewer than 20 pairs and a collapsed trial."
