from __future__ import annotations

import numpy as np
from statsmodels.stats.multitest import multipletests

from analysis.across.false_discoveries import discoveries, discoveries_sentences
from analysis.verdicts.claims import Claim


def test_what_stands_is_what_benjamini_and_hochberg_reject():
    p = np.random.default_rng(0).random(60) ** 4
    made = p <= 0.05
    tests = [("s", Claim("difference", str(i), float(one), bool(one <= 0.05))) for i, one in enumerate(p)]
    rejected = multipletests(p, 0.05, method="fdr_bh")[0]
    found = discoveries(tests)
    assert (found.n_tests, found.n_claims) == (60, made.sum())
    assert found.fallen == tuple(f"s: {i}" for i in np.flatnonzero(made & ~rejected))


def test_differences_and_absences_are_told_apart_and_what_falls_is_named():
    tests = [("one", Claim("difference", "a", 0.04, True)), ("two", Claim("difference", "b", 0.001, True))]
    tests += [("two", Claim("difference", "c", 0.9, False))] * 8
    tests += [("two", Claim("absence", "b", 0.01, True))]
    first, second = discoveries_sentences(tests)
    assert "1 of 2 claimed differences stand at a false discovery rate of 5 % over 10 tests" in first
    assert first.endswith("Not: one: a.")
    assert "1 of 1 claimed absences of a difference stand" in second


def test_without_a_claim_nothing_is_said():
    assert discoveries_sentences([("s", Claim("difference", "a", 0.5, False))]) == []
