"""Every study asks something that can be run and answered, and says what it may claim."""

import re

import pytest

from orchestrator import discovery
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.study import load
from orchestrator.study.tiers import in_tier

STUDIES = {name: load(name) for name in discovery.names("study")}
PAPERS = {"2303.16521", "2311.00731", "2301.11405", "2311.14310"}
CATALOGUE = Catalogue(without_data=True)


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_can_be_planned_and_its_test_can_reach_alpha(name):
    study = STUDIES[name]
    plan = plan_of(study, CATALOGUE)
    plan.require_power()
    assert plan.n_search_trials + len(plan.confirm_trials(range(study.looks[-1]))) > 0


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_names_its_paper_and_what_its_tier_can_claim(name):
    study = STUDIES[name]
    cited = set(re.findall(r"23\d\d\.\d{5}", study.docstring))
    assert cited <= PAPERS
    assert study.paper in cited | {""}
    assert study.paper or "cross the papers" in study.docstring or "ver methods" in study.docstring or cited == PAPERS
    assert "local tier" in study.docstring or study.exploratory or "differ" in study.docstring


@pytest.mark.parametrize("name", STUDIES)
def test_what_confirms_has_ten_seeds_a_margin_and_what_its_baseline_must_beat(name):
    study = STUDIES[name]
    if study.exploratory:
        return
    assert study.design.search is not study.design
    assert study.looks[0] >= 10
    assert study.margin is not None
    assert study.beats_chance_by >= 0.1


@pytest.mark.parametrize("name", [name for name in STUDIES if STUDIES[name].tiers])
def test_every_tier_asks_the_same_of_other_data(name):
    study = STUDIES[name]
    for tier in study.tiers:
        moved = in_tier(study, tier)
        plan_of(moved, CATALOGUE).require_power()
        assert set(moved.epoch_seconds) == (set() if tier == "quick" else set(study.methods))


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_has_a_quick_tier_on_digits_of_the_same_arms(name):
    study = STUDIES[name]
    quick = in_tier(study, "quick")
    assert {dataset.partition(":")[0] for dataset in quick.datasets} <= {"digits", "mnist_5k", "three_sides"}
    assert len(quick.datasets) == len(study.datasets)
    assert quick.looks == (3,)
    assert quick.exploratory
    assert quick.designs == study.designs


def test_there_are_many_questions_and_few_of_them_explore():
    explore = [name for name in STUDIES if STUDIES[name].exploratory]
    assert len(STUDIES) - len(explore) >= 20
    assert len(explore) <= 6
    assert {STUDIES[name].paper for name in STUDIES if STUDIES[name].tiers} >= PAPERS
