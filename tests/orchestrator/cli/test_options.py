"""The options of commands: what they refuse together, and what they mean to the parts that take them."""

import dataclasses
import inspect
from pathlib import Path

import pytest

from orchestrator.cli import options
from orchestrator.cli.options import ReportOptions, RunOptions, StudyOrAllOptions
from orchestrator.errors import RequestError
from orchestrator.trial import Limits


def test_every_command_has_its_options_which_nobody_changes_after_they_were_made():
    kinds = {name: kind for name, kind in vars(options).items() if inspect.isclass(kind) and name.endswith("Options")}
    assert {*options.__all__, "StudyOrAllOptions"} == set(kinds)
    for kind in kinds.values():
        with pytest.raises(dataclasses.FrozenInstanceError):
            object.__new__(kind).results = Path("elsewhere")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "name one STUDY, or say --all"),
        ({"study": "quickstart", "all_studies": True}, "STUDY 'quickstart' and --all: only one of them"),
    ],
)
def test_a_command_is_about_one_study_or_about_all(given, says):
    with pytest.raises(RequestError, match=says):
        StudyOrAllOptions(**given).require_one_or_all()


def test_settings_belong_to_one_study():
    StudyOrAllOptions(study="quickstart").require_one_or_all(["seeds=3"])
    StudyOrAllOptions(all_studies=True).require_one_or_all([])
    with pytest.raises(RequestError, match="--set 'seeds=3' with --all is not allowed"):
        StudyOrAllOptions(all_studies=True).require_one_or_all(["seeds=3"])


def test_zero_means_no_limit_and_gibibytes_become_bytes():
    assert RunOptions().limits == Limits()
    assert RunOptions(trial_seconds=2.5, trial_memory=0.5).limits == Limits(seconds=2.5, memory_bytes=2**29)


def test_the_executor_and_the_report_of_a_run_get_what_was_said_of_them():
    asked = RunOptions(
        address="auto", device="cpu", bundles_per_gpu=3, max_concurrent=7, stall=11.0, verbose=True, quiet=True,
        results=Path("here"), notebook=False, as_json=True, plugin=["mine"],
    )  # fmt: skip
    executor = dataclasses.asdict(asked.executor)
    assert executor == {
        "address": "auto", "device": "cpu", "bundles_per_gpu": 3, "max_concurrent": 7, "stall_seconds": 11.0,
        "verbose": True,
    }  # fmt: skip
    assert asked.reporting == ReportOptions(
        results=Path("here"), notebook=False, as_json=True, verbose=True, quiet=True
    )
    assert asked.plugins == ("mine",)
