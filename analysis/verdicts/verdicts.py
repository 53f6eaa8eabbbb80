"""Every contrast of a study judged and said in both of its parts; the tests are in `orchestrator.inference`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.number_format import join, seeds_text
from analysis.verdicts.looks import looks_of
from analysis.verdicts.sentences import sentence, works_word
from orchestrator.designs.base import Contrast
from orchestrator.inference.judgement import Decision, Judgement
from orchestrator.inference.paired_parts import matched
from orchestrator.inference.verdict_chain import judge

__all__ = [
    "Verdict",
    "contrast_label",
    "contrasts_of",
    "first_side",
    "heading",
    "is_equivalent",
    "missing_sentences",
    "tally",
    "verdicts",
]

WORDS = {"effect": "effect", "equivalent": "no difference", "inconclusive": "inconclusive", "refused": "not tested"}


@dataclass(frozen=True)
class Verdict:
    """A contrast's judgement and the sentence that says both of its parts."""

    contrast: Contrast
    dataset: str
    judgement: Judgement
    sentence: str

    @property
    def word(self) -> str:
        """How good it is where both work, in a word or two: one of `WORDS`, or an effect within the margin."""
        both = self.judgement.decision == "effect" and is_equivalent(self.judgement)
        return "effect within margin" if both else WORDS[self.judgement.decision]

    @property
    def works(self) -> str:
        """How often it works, in a few words."""
        return works_word(self.judgement)

    @property
    def decision(self) -> Decision:
        """The word's kind, for colours: an effect if either part shows a difference."""
        return "effect" if self.judgement.differs else self.judgement.decision

    @property
    def words(self) -> str:
        """Both parts: the second only where it is shown."""
        if not self.judgement.working.shown:
            return self.word
        return self.works if self.judgement.decision == "refused" else f"{self.works}; {self.word}"


def is_equivalent(judgement: Judgement) -> bool:
    """Return whether equivalence within the stated margin was shown (an effect may be shown beside it)."""
    return judgement.equivalence is not None and judgement.equivalence.equivalent


def first_side(contrast: Contrast) -> str:
    """Return the first arm that counts positively, which a difference sets against another; empty without any."""
    return next((arm for arm, weight in contrast.weights.items() if weight > 0), "")


def contrast_label(verdict: Verdict) -> str:
    """Return what is changed, without its dataset; of a trend, an effect or an interaction, its name.

    Two levels of one knob name it once: "lr=0.1 vs 5".
    """
    contrast = verdict.contrast
    text = (first_side(contrast) if contrast.kind == "difference" else "") or contrast.name
    text = text.replace(f" @ {verdict.dataset}", "") if verdict.dataset else text
    first, _, second = text.partition(" vs ")
    knob = first.partition("=")[0] + "="
    return f"{first} vs {second.removeprefix(knob)}" if second.startswith(knob) else text


def contrasts_of(record: Mapping[str, Any]) -> list[tuple[Contrast, str]]:
    """Return the contrasts of a study's record with their datasets."""
    found = []
    for entry in record.get("contrasts", ()):
        contrast = Contrast(
            name=entry["name"],
            weights=entry["weights"],
            kind=entry.get("kind", "difference"),
            factor=entry.get("factor", ""),
            level=entry.get("level", ""),
        )
        found.append((contrast, str(entry.get("dataset", ""))))
    return found


def verdicts(study: StudyView, metric: str | None = None) -> list[Verdict]:
    """Judge every contrast of a study on its confirm seeds and say what was found, in the order of the record.

    Args:
        study: the view.
        metric: the metric to judge; None: the study's own. The margin is stated for the study's own only.
    """
    chosen = metric or study.metric
    contrasts = contrasts_of(study.record)
    margin = study.record.get("margin") if chosen == study.metric else None
    settings = {str(arm["name"]): arm.get("values") or {} for arm in study.record["arms"]}
    judgements = judge(
        study_view.arm_seed_values(study, chosen),
        matched([contrast for contrast, _ in contrasts], settings),
        alpha=float(study.record["alpha"]),
        margin=margin,
        looks=looks_of(study.record),
    )
    several = len(study.record["datasets"]) > 1
    found = []
    for (contrast, dataset), judgement in zip(contrasts, judgements, strict=True):
        said = sentence(contrast, dataset if several else "", judgement, chosen)
        found.append(Verdict(contrast, dataset, judgement, said))
    return found


def tally(found: Sequence[Verdict], tier: str) -> str:
    """Return one sentence that counts the decisions of both parts and names the tier; empty without contrasts."""
    if not found:
        return ""
    living = _counted(Counter(one.word for one in found))
    working = _counted(Counter(one.works for one in found))
    lead = f"At the {tier} tier, of {len(found)} contrast{'s' * (len(found) > 1)}"
    return f"{lead}, where both work: {living}; how often they work: {working}."


def _counted(words: Counter[str]) -> str:
    return join([f"{count} {word}" for word, count in words.most_common()])


def heading(study: StudyView) -> str:
    """Return what all sentences have in common: tier, data, seeds, what is promised, and whether it is exploratory."""
    record = study.record
    seeds, alpha, n_contrasts = record["seeds"], f"{100 * float(record['alpha']):g}", len(record.get("contrasts", ()))
    precision = record.get("precision", "float32")
    how = f"forward passes in {precision}, " if precision != "float32" else ""
    start = "Exploratory, so no claim: " if record.get("exploratory") else ""
    absence = f"; and at most {alpha} % claim an absence of one that is there" if record.get("margin") else ""
    contrasts = f"{n_contrasts} contrast{'s' * (n_contrasts > 1)}"
    promise = (
        f"; of such studies at most {alpha} % claim any difference that is not there, over both parts (how often it "
        f"works, how good it is where both work) of {contrasts}{absence}. Intervals are of one contrast each"
    )
    return (
        f"{start}{record.get('tier', 'local')} tier, {join(list(map(str, record['datasets'])))}, "
        f"protocol {record.get('protocol', 'whole')}, {how}{len(seeds['seeds'])} paired {seeds['block']} seeds"
        f"{promise if n_contrasts else ''}.{_labels(record)}{_clusters(record)}"
    )


def _labels(record: Mapping[str, Any]) -> str:
    """Return what is not known for want of labels, with its leading space; empty where all points have one."""
    said = ""
    for dataset, (known, scored) in (record.get("labelled") or {}).items():
        if scored and not known:
            said += (
                f" {dataset} has no labels: scores are internal, and whether its clusters are classes cannot be known."
            )
        elif known < scored:
            said += f" Of {dataset}, {known:,} of {scored:,} points have a label: scores that read labels are of these."
    return said


def _clusters(record: Mapping[str, Any]) -> str:
    """Return what scores mean where methods look for other numbers of clusters than there are classes; else nothing."""
    said, labelled = "", record.get("labelled") or {}
    for dataset, (n_clusters, n_classes) in (record.get("sought") or {}).items():
        if n_clusters == n_classes or not labelled.get(dataset, [0])[0]:
            continue
        fewer = "no clustering reaches 100 % in ACC or NMI"
        more = "ACC counts one cluster a class, and points in others as wrong"
        said += (
            f" Methods look for {n_clusters} clusters of {dataset}, which has {n_classes} classes: "
            f"{fewer if n_clusters < n_classes else more}; chance is that of {n_clusters} clusters."
        )
    return said


def missing_sentences(study: StudyView) -> list[str]:
    """Name every arm that lacks seeds, and what became of them."""
    found = []
    for arm, row in study_view.arm_table(study).iterrows():
        kinds = [f"{row[kind]} {kind}" for kind in ("failed", "pruned", study_view.MISSING) if row[kind]]
        if kinds:
            found.append(f"{arm}: {join(kinds)} of {row['planned']} trials ({seeds_text(row['without'])}).")
    return found
