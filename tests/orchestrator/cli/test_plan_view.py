"""What `orchestrate plan` shows of one study: its arms, what of them the ledger has, and what the rest costs."""

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.cli.options import PlanOptions
from orchestrator.cli.plan_view import plan_of_one, priced_plan
from orchestrator.designs.around import around
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.executors.inline import InlineExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study

TOY = (str(Path(__file__).parent.parent / "toy"),)
MODES = one_factor("toy", {"mode": ["worse"]})
STUDY = Study(
    question="does the mode matter?", name="modes", design=MODES, datasets=("gaussians",), n_epochs=2, seeds=6,
    margin=0.02,
)  # fmt: skip

TEXT = '''
"""Does the mode matter?"""
from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study
STUDY = Study(
    question="?", design=one_factor("toy", {"mode": ["worse"]}), datasets=("gaussians",), n_epochs=2, seeds=6, margin=.1
)
'''


def shown(study, folder):
    return priced_plan(study, folder, Catalogue(TOY, without_data=True), 2)


def trained(study, folder):
    with Ledger(folder, writable=True) as ledger:
        InlineExecutor().run(Runner(plan_of(study, Catalogue(TOY)), ledger, RunOptions(plugins=TOY)))


def test_a_plan_counts_hits_arm_by_arm_and_prices_what_is_missing(tmp_path):
    before = shown(STUDY, tmp_path)
    assert (before["trials"], before["hits"], before["missing"]) == (12, 0, 12)
    assert any("No price yet" in line for line in before["sentences"])
    trained(STUDY, tmp_path)
    after = shown(replace(STUDY, seeds=8), tmp_path)
    assert (after["trials"], after["hits"], after["missing"]) == (16, 12, 4)
    assert [(arm["trials"], arm["hits"]) for arm in after["arms"]] == [(8, 6), (8, 6)]
    assert [arm["sets"] for arm in after["arms"]] == ["", "mode=worse"]
    assert after["price"]["core_seconds"] > 0
    assert any(line.startswith("Price of the 4 missing ones") for line in after["sentences"])


def test_of_a_study_that_is_complete_nothing_is_left(tmp_path):
    trained(STUDY, tmp_path)
    found = shown(STUDY, tmp_path)
    assert found["missing"] == 0
    assert "Nothing is left to train." in found["sentences"]
    assert "12 trials, 12 of them in the ledger." in found["sentences"]


def test_what_a_search_has_still_to_choose_is_no_value_of_an_arm(tmp_path):
    found = shown(
        replace(STUDY, design=around(search("toy", ("level",), n_configurations=3, n_seeds=1, n_epochs=2), MODES)),
        tmp_path,
    )
    assert [(arm["sets"], arm["decided"], arm["chosen_by_search"]) for arm in found["arms"]] == [
        ("chosen by the search", False, ["level"]),
        ("mode=worse, else chosen by the search", False, ["level"]),
    ]
    assert "15 trials (3 of the search, 12 of the confirmation), 0 of them in the ledger." in found["sentences"]


def test_a_study_that_tests_nothing_says_so_instead_of_its_power(tmp_path):
    found = shown(replace(STUDY, design=search("toy", ("level",), n_configurations=3, n_seeds=1)), tmp_path)
    assert found["detectable"] is None
    assert "This study describes; it tests nothing." in found["sentences"]


@pytest.mark.parametrize("probe", [False, True])
def test_a_probe_gives_a_price_where_nothing_was_trained_and_trains_no_trial(tmp_path, probe):
    (tmp_path / "own.py").write_text(TEXT)
    asked = PlanOptions(study=str(tmp_path / "own.py"), results=tmp_path / "results", plugin=list(TOY), probe=probe)
    found = plan_of_one(asked)
    assert any("No price yet" in line for line in found["sentences"]) is not probe
    assert found["missing"] == 12
    assert len(Ledger(tmp_path / "results").trials()) == 0
