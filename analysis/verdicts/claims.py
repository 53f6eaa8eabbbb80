"""Every test of a study with its p-value and what was claimed: what a view across studies counts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from analysis.verdicts.verdicts import Verdict

__all__ = ["Claim", "claims"]


@dataclass(frozen=True)
class Claim:
    """One test."""

    kind: Literal["difference", "absence"]
    about: str
    """The contrast, and the part of it."""
    p: float
    """Uncorrected; valid over the looks that were taken."""
    made: bool
    """Whether the study claims it."""


def claims(found: Sequence[Verdict]) -> tuple[Claim, ...]:
    """Return the tests of a study: both parts of every contrast that could be tested, and equivalence with a margin."""
    return tuple(chain.from_iterable(map(_of, found)))


def _of(verdict: Verdict) -> Iterator[Claim]:
    judgement, name = verdict.judgement, verdict.contrast.name
    if math.isfinite(judgement.p):
        yield Claim("difference", f"{name}, where both work", judgement.p, judgement.decision == "effect")
    if sum(judgement.working.alone):  # without a discordant seed nothing is tested
        yield Claim("difference", f"{name}, how often they work", judgement.working.p, judgement.working.shown)
    equivalence = judgement.equivalence
    if equivalence is not None and math.isfinite(equivalence.p):
        yield Claim("absence", name, equivalence.p, equivalence.equivalent)
