import dataclasses
from pathlib import Path

import pytest

from analysis.data import study_view
from analysis.verdicts.short_answer import MOST_WORDS, short_answer, shortened
from analysis.verdicts.verdicts import verdicts


@pytest.fixture(scope="module")
def found(synthetic):
    return verdicts(study_view.load(synthetic.results, synthetic.name))


def renamed(verdict, label):
    contrast = dataclasses.replace(
        verdict.contrast, weights={label: 1.0, "baseline": -1.0}, name=f"{label} vs baseline"
    )
    return dataclasses.replace(verdict, contrast=contrast)


def test_the_answer_has_at_most_fifteen_words_whatever_arms_are_called(found):
    long = "a b c d e f g h i j k l m n o p q r s t u v"
    for some in (found, [renamed(one, f"{long}{place}") for place, one in enumerate(found)]):
        assert 1 <= len(short_answer(some, "nmi", 0.01).split()) <= MOST_WORDS


def test_what_no_longer_works_comes_before_the_largest_difference():
    study = study_view.load(Path("analysis/ledger"), "quickstart")
    found = verdicts(study)
    assert any(one.judgement.working.shown for one in found)
    assert any(abs(one.judgement.estimate) > 0.3 for one in found)
    first, second, *_ = short_answer(found, study.metric, study.record["margin"]).split("; ")
    assert first == "fairness=none works on 0 of 12 seeds" and second.startswith("loss=forward −")


def test_numbers_are_those_of_the_verdict(found):
    one = max((one for one in found if one.judgement.decision == "effect"), key=lambda one: abs(one.judgement.estimate))
    text = short_answer([one], "nmi", None)
    assert f"{100 * one.judgement.estimate:+.1f}".replace("-", "−") in text


def test_a_study_of_equivalences_says_within_what(found):
    alike = [one for one in found if one.word == "no difference"]
    assert alike
    assert short_answer(alike[:1], "nmi", 0.01) == "No difference: 1 contrast within ±1.0 NMI."


def test_nothing_shown_is_said_with_the_largest(found):
    vague = [one for one in found if one.word == "inconclusive" and not one.judgement.working.shown]
    if vague:
        assert short_answer(vague, "nmi", 0.01).startswith("Inconclusive: largest is ")
    assert short_answer([], "nmi") == "It describes and tests nothing."


@pytest.mark.parametrize("label", ["lr=0.1", "a b c d e", "x" * 34])
def test_a_short_label_stays_whole(label):
    assert shortened(label) == label


@pytest.mark.parametrize("label", ["a b c d e f", "x" * 35])
def test_a_long_label_loses_its_end_visibly(label):
    assert shortened(label).endswith("…") and len(shortened(label)) <= 35
