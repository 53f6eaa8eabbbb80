"""What the verdict chain hands over: one frozen judgement per contrast, and the parts it is made of.

How they come about is in `orchestrator.inference.verdict_chain`; what is said about them is in `analysis`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from orchestrator.inference.shared_draws import Sharing
from orchestrator.inference.sign_flip import Interval

__all__ = [
    "CollapseComparison",
    "Contrast",
    "Decision",
    "Descriptive",
    "Effect",
    "Equivalence",
    "Judgement",
    "MissingSeed",
]

Decision = Literal["effect", "equivalent", "inconclusive", "refused"]


class Contrast(Protocol):
    """What is compared: a weighted sum over arms, weights summing to zero."""

    @property
    def name(self) -> str:
        """What the verdict calls it."""

    @property
    def weights(self) -> Mapping[str, float]:
        """Weight per arm name; arms left out have weight 0."""


@dataclass(frozen=True)
class MissingSeed:
    """A seed that a contrast had to leave out, and the arms that lack it."""

    seed: int
    arms: tuple[str, ...]


@dataclass(frozen=True)
class Effect:
    """Mean paired difference, its interval and its uncorrected sign-flip p."""

    estimate: float
    interval: Interval
    p: float
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests against a margin that was stated before the run."""

    margin: float
    p: float
    p_corrected: float
    equivalent: bool


@dataclass(frozen=True)
class CollapseComparison:
    """How often the arms with positive and with negative weight collapsed; Fisher's exact test, Holm apart."""

    collapsed: tuple[int, int]
    trained: tuple[int, int]
    p: float
    p_corrected: float


@dataclass(frozen=True)
class Descriptive:
    """Company of the verdict; decides nothing."""

    t_p: float
    t_interval: Interval
    wilcoxon_p: float
    interquartile_mean: float
    probability_of_improvement: float
    standard_deviation: float
    """Of the paired differences: what the power of the next study rests on."""


@dataclass(frozen=True)
class Judgement:
    """What a study may say about one contrast."""

    name: str
    weights: Mapping[str, float]
    decision: Decision
    reason: str
    """Why the contrast was refused or could not be decided; empty otherwise."""
    all_seeds: Effect
    """The effect that was tested: collapsed members included."""
    p_corrected: float
    """Holm over all contrasts of the study, refused ones counted."""
    alpha: float
    missing: tuple[MissingSeed, ...]
    equivalence: Equivalence | None
    collapse: CollapseComparison
    non_collapsed: Effect
    """The effect among seeds of which no arm collapsed; uncorrected, beside the tested one."""
    descriptive: Descriptive
    interval_unreliable: bool
    """Fewer than 20 pairs and a collapsed member: the interval covers less than it says."""
    looks: tuple[int, ...]
    """Numbers of seeds at which one looked; p and interval are valid over all of them.  Empty: once, as planned."""
    sharing: Sharing
    """Which of the seeds that count share a stage drawn by a seed; if some do, the pairs that are tested are units."""
    futile: bool
    """More seeds, up to the last planned look, are unlikely to decide."""

    @property
    def settled(self) -> bool:
        """Whether a sequential study need not add seeds for this contrast."""
        return self.decision in ("effect", "equivalent") or self.futile

    @property
    def estimate(self) -> float:
        """Mean paired difference over all seeds."""
        return self.all_seeds.estimate

    @property
    def interval(self) -> Interval:
        """Interval of the estimate (uncorrected: it is about this contrast alone)."""
        return self.all_seeds.interval

    @property
    def p(self) -> float:
        """Uncorrected p of the effect."""
        return self.all_seeds.p

    @property
    def n_pairs(self) -> int:
        """Seeds that every arm of the contrast has, or the units that these make (see `sharing`)."""
        return len(self.all_seeds.seeds)
