"""The record of a study: the command that runs it again, and the chance levels that its baseline must beat."""

import os
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.designs.one_factor import one_factor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.record.looks import with_look
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study, until_decided
from orchestrator.study.settings import with_settings

TOY = (str(Path(__file__).parents[1] / "toy"),)
ASKED = Study(
    question="?",
    name="asked",
    datasets=("digits",),
    n_epochs=2,
    seeds=8,
    margin=0.02,
    beats_chance_by=0.3,
    design=one_factor("toy", {"mode": ["worse"]}),
)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    asked = with_settings(ASKED, ["dataset=gaussians", "toy.level=0.25"])
    with Ledger(tmp_path_factory.mktemp("results"), writable=True) as ledger:
        Runner(plan_of(asked, Catalogue(TOY)), ledger, RunOptions(plugins=TOY)).write_record()
        return ledger.studies.read("asked")[0]


def test_the_command_of_the_record_sets_what_was_set(record):
    command = shlex.split(record["command"])
    plugin = ["--plugin", os.path.relpath(*TOY)]
    assert command == ["orchestrate", "run", "asked", *plugin, "--set", "dataset=gaussians", "--set", "toy.level=0.25"]


def test_chance_levels_of_every_dataset_and_the_margin_above_them_are_recorded(record):
    assert list(record["chance"]) == ["gaussians"] and 0 < record["chance"]["gaussians"]["nmi"] < 0.1
    assert record["beats_chance_by"] == 0.3


def looks(plan, *taken):
    """Take looks at these numbers of seeds one after another under a first plan; return their flags."""
    record = {"looks_taken": [], "seeds": {"planned": list(plan)}}
    for n_seeds in taken:
        record = with_look(record, n_seeds)
    return {look["n_seeds"]: look["planned"] for look in record["looks_taken"]}


def test_the_looks_of_one_plan_are_planned_and_others_are_by_hand():
    assert looks((10, 20), 10, 20) == {10: True, 20: True}
    assert looks((12,), 12, 20) == {12: True, 20: False}
    assert looks((12,), 8, 12) == {8: False, 12: False}


@pytest.mark.parametrize("later", [13, until_decided([13, 16])])
def test_the_first_plan_stays_whatever_the_study_file_says_later(tmp_path, later):
    first = replace(ASKED, datasets=("gaussians",), seeds=8)
    with Ledger(tmp_path, writable=True) as ledger:
        for study in (first, replace(first, seeds=later), first):
            Runner(plan_of(study, Catalogue(TOY)), ledger, RunOptions(plugins=TOY)).write_record()
            seeds = ledger.studies.read("asked")[0]["seeds"]
            assert (seeds["planned"], seeds["looks"]) == ([8], None)
            assert seeds["file"] == list(study.planned_looks)


def test_a_look_is_remembered_once_and_no_seeds_are_no_look():
    assert looks((14,), 14, 14, 0) == {14: True}
