"""What the verdict chain hands over: one frozen judgement per contrast, in two parts.

*Working*: how often each side works, seed by seed. *Living*: how good it is on the seeds where both work. How they come
about is in `orchestrator.inference.verdict_chain`; what is said about them is in `analysis`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from orchestrator.inference.shared_draws import Sharing
from orchestrator.inference.sign_flip import Interval

__all__ = [
    "Contrast",
    "Decision",
    "Descriptive",
    "Equivalence",
    "Judgement",
    "Living",
    "MissingSeed",
    "Overall",
    "Working",
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
    """A seed on which an arm of a contrast has no outcome, and the arms that lack it."""

    seed: int
    arms: tuple[str, ...]


@dataclass(frozen=True)
class Working:
    """How often the sides work: seeds (or units) on which a trial collapsed or failed, paired."""

    n_seeds: int
    """Seeds on which both sides have an outcome."""
    not_working: tuple[float, float]
    """Of these, on how many the first and the second side do not work; of pooled arms: the sum of their shares."""
    alone: tuple[int, int]
    """Discordant seeds: on which only the first side, or more of it, does not work; only the second."""
    p: float
    p_corrected: float
    shown: bool
    """One side works more often."""
    needed: int
    """Discordant seeds, all one way, that this many seeds need to show anything."""
    bound: float
    """Share of seeds on which exactly one side works that these outcomes still allow (upper 95 % bound)."""
    bounds: tuple[float, float]
    """The same of how often the first and the second side do not work."""


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests against a margin that was stated before the run, where both sides work."""

    margin: float
    p: float
    p_corrected: float
    equivalent: bool


@dataclass(frozen=True)
class Living:
    """The difference on seeds where both sides work, of the look that decided (else of the last one)."""

    estimate: float
    """Mean paired difference."""
    interval: Interval
    """Of its centre, inversion of the test that decides; about this contrast alone, over all looks."""
    p: float
    p_corrected: float
    seeds: tuple[int, ...]
    differences: tuple[float, ...]
    """On each of `seeds` (of a unit: the mean, at its first seed)."""
    better: int
    """On how many of `seeds` the first side has the larger value."""
    worse: int
    """On how many the second has."""
    by_signs: bool
    """Signs were counted, since one difference dominates: the interval is that of the median."""
    most: bool
    """That one side is better on most seeds is shown too."""
    skewed: bool
    """The differences are visibly skewed: mean and typical difference are not the same."""

    @property
    def direction(self) -> int:
        """1: the first side has the larger values by what was tested (sum or signs), -1: the second has, 0: neither."""
        tested = float(self.better - self.worse) if self.by_signs else self.estimate
        return (tested > 0) - (tested < 0)

    @property
    def agree(self) -> bool:
        """Whether the mean and the majority of the seeds are not on opposite sides."""
        return not self.estimate * (self.better - self.worse) < 0


@dataclass(frozen=True)
class Overall:
    """Mean difference of all complete pairs, collapsed ones included, with its t interval; described, not tested."""

    estimate: float
    interval: Interval
    n_pairs: int


@dataclass(frozen=True)
class Descriptive:
    """Company of the living part; decides nothing."""

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
    """Of the living part."""
    reason: str
    """Why it was refused or could not be decided; empty otherwise."""
    working: Working
    living: Living
    overall: Overall
    alpha: float
    missing: tuple[MissingSeed, ...]
    equivalence: Equivalence | None
    descriptive: Descriptive
    looks: tuple[int, ...]
    """Numbers of seeds at which one looked; all p and intervals are valid over them.  Empty: once, as planned."""
    decided_at: int
    """Seeds of the look whose estimate and interval stand here; that of `looks` which decided, or the last."""
    turned: bool
    """Something was shown at an earlier look, and the data of the last one point the other way."""
    sharing: Sharing
    """Which of the seeds that count share a stage drawn by a seed; if some do, the pairs that are tested are units."""
    futile: bool
    """More seeds, up to the last planned look, are unlikely to decide the living part."""
    collapse_futile: bool
    """The same of how often the sides work."""

    @property
    def decided(self) -> bool:
        """Whether a sequential study need not add seeds for this contrast: both parts are decided or futile."""
        nothing_lives = self.decision == "refused" and self.working.shown
        living = self.decision in ("effect", "equivalent") or self.futile or nothing_lives
        return living and (self.working.shown or self.collapse_futile)

    @property
    def differs(self) -> bool:
        """Whether a difference of either part is shown."""
        return self.decision == "effect" or self.working.shown

    @property
    def estimate(self) -> float:
        """Mean paired difference where both sides work."""
        return self.living.estimate

    @property
    def interval(self) -> Interval:
        """Interval of the estimate (about this contrast alone)."""
        return self.living.interval

    @property
    def p(self) -> float:
        """Uncorrected p of the living part."""
        return self.living.p

    @property
    def p_corrected(self) -> float:
        """Corrected p of the living part."""
        return self.living.p_corrected

    @property
    def n_pairs(self) -> int:
        """Seeds on which every arm of the contrast works, or the units that these make (see `sharing`)."""
        return len(self.living.seeds)
