"""Claims of all confirmatory studies together: which would stand at a false discovery rate over all of their tests.

Each study keeps its own error rate, so forty studies claim something false more often than one. The rate of Benjamini
and Hochberg (1995, JRSS B 57) over all tests says how many of the claims together may be wrong; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.number_format import join
from analysis.verdicts.claims import Claim

__all__ = ["RATE", "Discoveries", "discoveries", "discoveries_sentences"]

RATE = 0.05
_MOST_NAMED = 12


@dataclass(frozen=True)
class Discoveries:
    """The claims of one kind."""

    n_tests: int
    n_claims: int
    fallen: tuple[str, ...]
    """Claims that do not stand at `RATE`, as `study: contrast`."""


def discoveries(tests: Sequence[tuple[str, Claim]], rate: float = RATE) -> Discoveries:
    """Return which claims stand over all tests.

    Args:
        tests: (study, test) of one kind, of all confirmatory studies.
        rate: expected share of false ones among the claims that stand.
    """
    n_claims = sum(one.made for _, one in tests)
    if not n_claims:
        return Discoveries(len(tests), 0, ())
    adjusted = stats.false_discovery_control(np.minimum(1.0, [one.p for _, one in tests]))
    fallen = []
    for (study, one), q in zip(tests, adjusted, strict=True):
        if one.made and q > rate:
            fallen.append(f"{study}: {one.about}")
    return Discoveries(len(tests), n_claims, tuple(fallen))


def discoveries_sentences(tests: Sequence[tuple[str, Claim]]) -> list[str]:
    """Return a sentence on claimed differences and one on claimed absences; empty without claims."""
    said = []
    for kind, words in (("difference", "differences"), ("absence", "absences of a difference")):
        found = discoveries([(study, one) for study, one in tests if one.kind == kind])
        if not found.n_claims:
            continue
        stand = found.n_claims - len(found.fallen)
        named = list(found.fallen[:_MOST_NAMED])
        more = len(found.fallen) - len(named)
        named += [f"{more} more"] * (more > 0)
        rest = f" Not: {join(named)}." if named else ""
        said.append(
            f"Over all studies: {stand} of {found.n_claims} claimed {words} stand at a false discovery rate of "
            f"{100 * RATE:.0f} % over {found.n_tests} tests (Benjamini and Hochberg; each study's own promise is apart "
            f"from it).{rest}"
        )
    return said
