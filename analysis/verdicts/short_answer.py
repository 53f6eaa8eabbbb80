"""The answer of a study in at most 15 words: which parts matter and by how much; the sentences say the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analysis.number_format import name, number, signed
from analysis.verdicts.verdicts import Verdict, contrast_label, is_equivalent

__all__ = ["MOST_WORDS", "short_answer", "shortened"]

MOST_WORDS = 15
MOST_LETTERS = 34
"""Of a name, in this answer: longer ones lose their end."""


@dataclass(frozen=True)
class _Part:
    """What is changed, with what it does on the datasets where that is shown."""

    label: str
    verdicts: tuple[Verdict, ...]

    @property
    def lost(self) -> float:
        """The largest share of seeds on which it does not work and the other side does, where that is shown."""
        return max((_lost(one) for one in self.verdicts), default=0.0)

    @property
    def size(self) -> float:
        """The largest difference that is shown."""
        return max((abs(one.judgement.estimate) for one in self.verdicts if _differs(one)), default=0.0)


def short_answer(found: Sequence[Verdict], metric: str, margin: float | None = None) -> str:
    """Return which parts matter most and by how much, in at most `MOST_WORDS` words.

    Args:
        found: the verdicts of a study; without any it describes, and its pictures are its answer.
        metric: what they are about.
        margin: the stated one; None: there is none.
    """
    if not found:
        return "It describes and tests nothing."
    parts = _parts(found)
    if not parts:
        return _nothing_shown(found, metric, margin)
    clauses = [_clause(part, metric) for part in parts]
    rest = len(found) - sum(len(part.verdicts) for part in parts)
    return _fitted(clauses, len(found) - rest, len(found))


def shortened(label: str) -> str:
    """Return a label without its end, if it is long; it counts as few words wherever it stands."""
    words = label.split()
    text = " ".join(words[:5])
    text = text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1].rstrip()
    return text if text == " ".join(words) else f"{text}…"


def _parts(found: Sequence[Verdict]) -> list[_Part]:
    """Return what makes a difference, the most telling first: what no longer works, then the largest differences."""
    shown: dict[str, list[Verdict]] = {}
    for verdict in found:
        of_label = shown.setdefault(contrast_label(verdict), [])
        if _matters(verdict):
            of_label.append(verdict)
    parts = [_Part(label, tuple(verdicts)) for label, verdicts in shown.items() if verdicts]
    return sorted(parts, key=lambda part: (-part.lost, -part.size))


def _matters(verdict: Verdict) -> bool:
    return verdict.judgement.working.shown or _differs(verdict)


def _differs(verdict: Verdict) -> bool:
    """A difference is shown that is not within the margin as well."""
    return verdict.judgement.decision == "effect" and not is_equivalent(verdict.judgement)


def _lost(verdict: Verdict) -> float:
    working = verdict.judgement.working
    if not working.shown or not working.n_seeds:
        return 0.0
    return (working.not_working[0] - working.not_working[1]) / working.n_seeds


def _clause(part: _Part, metric: str) -> str:
    """Return "loss=forward −38.7 to −42.0 NMI", or how often it works where that is what is shown."""
    label = shortened(part.label)
    if part.lost > 0:
        worst = max(part.verdicts, key=_lost).judgement.working
        works = number(worst.n_seeds - worst.not_working[0])
        return f"{label} works on {works} of {worst.n_seeds} seeds"
    sizes = [one.judgement.estimate for one in part.verdicts if _differs(one)]
    if not sizes:
        return f"{label} works more often"
    texts = list(dict.fromkeys((signed(min(sizes, key=abs), metric), signed(max(sizes, key=abs), metric))))
    return f"{label} {' to '.join(texts)} {name(metric)}"


def _fitted(clauses: Sequence[str], n_shown: int, n_all: int) -> str:
    """Return as many clauses as fit, and how many contrasts differ in all if there is room for that."""
    told = [clauses[0]]
    for clause in clauses[1:3]:
        if _words("; ".join([*told, clause])) > MOST_WORDS:
            break  # what is smaller must not stand where the larger had no room
        told.append(clause)
    tail = f"; {n_shown} of {n_all} contrasts differ" if n_all > 1 else ""
    text = "; ".join(told)
    return f"{text}{tail}." if _words(text + tail) <= MOST_WORDS else f"{text}."


def _nothing_shown(found: Sequence[Verdict], metric: str, margin: float | None) -> str:
    alike = sum(is_equivalent(one.judgement) for one in found)
    within = f"within ±{number(margin, metric)} {name(metric)}" if margin else "equivalent"
    if alike == len(found):
        return f"No difference: {'all ' if alike > 1 else ''}{alike} contrast{'s' * (alike > 1)} {within}."
    if alike:
        return f"No difference shown: {alike} of {len(found)} {within}, the others inconclusive."
    known = [one for one in found if math.isfinite(one.judgement.estimate)]
    if not known:
        return "Nothing could be tested."
    size: Callable[[Verdict], float] = lambda one: abs(one.judgement.estimate)  # noqa: E731
    largest = max(known, key=size)
    return (
        f"Inconclusive: largest is {shortened(contrast_label(largest))}, "
        f"{signed(largest.judgement.estimate, metric)} {name(metric)}; nothing shown."
    )


def _words(text: str) -> int:
    return len(text.split())
