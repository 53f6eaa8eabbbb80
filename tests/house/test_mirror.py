"""Every module has its test file in the mirrored place, or stands here with the place that tests it instead."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import measures
import pytest

HELD = (
    ":(glob)analysis/*.py",
    "analysis/across",
    "analysis/data",
    "analysis/notebooks",
    "analysis/sensitivity",
    "analysis/tables",
    ":(glob)orchestrator/*.py",
    "orchestrator/bundles",
    "orchestrator/cli",
    "orchestrator/deploy",
    "orchestrator/designs",
    "orchestrator/executors",
    "orchestrator/inference",
    "orchestrator/inspection",
    "orchestrator/ledger",
    "orchestrator/machine",
    "orchestrator/own",
    "orchestrator/plan",
    "orchestrator/price",
    "orchestrator/record",
    "orchestrator/run",
    "orchestrator/search",
    "orchestrator/study",
    "studies",
    ":(glob)trainables/*.py",
    "trainables/adapters",
    "trainables/assignment",
    "trainables/data",
    "trainables/datasets",
    "trainables/diagnostics",
    "trainables/encoders",
    "trainables/heads",
    "trainables/losses",
    "trainables/methods",
    "trainables/metrics",
    "trainables/networks",
    "trainables/partitions",
    "trainables/training",
)
"""Folders that are held to it, with all below them; a pattern stands for the modules of the folder alone."""

ELSEWHERE = {
    "analysis/notebooks/": "tests/analysis/pages/test_notebook.py",
    "orchestrator/__main__.py": "tests/orchestrator/cli/test_command_line.py",
    "orchestrator/cli/commands.py": "tests/orchestrator/cli/test_wrong_use.py",
    "orchestrator/designs/base.py": "tests/contracts/test_designs.py",
    "orchestrator/executors/base.py": "tests/contracts/test_executors.py",
    "orchestrator/executors/inline.py": "tests/contracts/test_executors.py",
    "orchestrator/executors/ray_cluster/": "tests/orchestrator/executors/test_ray_processes.py",
    "orchestrator/executors/ray_tune/": "tests/orchestrator/executors/test_ray_tune.py",
    "orchestrator/executors/worker.py": "tests/contracts/test_executors.py",
    "orchestrator/inference/judgement.py": "tests/orchestrator/inference/test_verdict_chain.py",
    "orchestrator/inspection/": "tests/faults/test_commands_on_broken_folders.py",
    "orchestrator/ledger/doctor.py": "tests/faults/test_corruption.py",
    "orchestrator/ledger/files.py": "tests/orchestrator/ledger/test_store.py",
    "orchestrator/ledger/rows/": "tests/orchestrator/ledger/test_store_properties.py",
    "orchestrator/ledger/schema.py": "tests/orchestrator/ledger/test_store.py",
    "orchestrator/ledger/studies/record_schema.py": "tests/faults/test_folders_of_strangers.py",
    "orchestrator/plan/": "tests/orchestrator/study/test_study.py",
    "orchestrator/price/": "tests/orchestrator/price/test_price.py",
    "orchestrator/run/": "tests/orchestrator/run/test_runner.py",
    "orchestrator/search/kinds.py": "tests/contracts/test_recipes.py",
    "orchestrator/search/pruners/": "tests/orchestrator/search/test_rounds.py",
    "orchestrator/search/pruning.py": "tests/orchestrator/run/test_runner.py",
    "orchestrator/search/samplers/": "tests/orchestrator/search/test_rounds.py",
    "studies/": "tests/studies/test_studies.py",
    "trainables/adapters/dataset_file.py": "tests/trainables/adapters/test_command.py",
    "trainables/adapters/launcher.py": "tests/trainables/adapters/test_command.py",
    "trainables/adapters/places.py": "tests/trainables/adapters/test_command.py",
    "trainables/datasets/": "tests/contracts/test_datasets.py",
    "trainables/encoders/": "tests/trainables/encoders/test_encoders.py",
    "trainables/metrics/": "tests/contracts/test_metrics.py",
    "trainables/training/bundle_training.py": "tests/trainables/training/test_loop.py",
}
"""Module, or folder in which one file is one thing of a kind, -> the tests that run over it.

A suite over everything that is found in a folder tests what its files promise; the loop is the only way to a bundle's
training, and is tested as such. Commands only hand over: how they are refused and how they end is
tested of all together. So are the parts of a runner, of a plan, of a price, of batches of rows and of Ray: whoever
takes them apart finds that nothing but the whole promises anything.
"""


@cache
def without_test() -> list[str]:
    """Return the modules of the folders that are held to it that have no test file of their name."""
    return measures.without_test(measures.sources(*HELD))


def excuse(path: str) -> str | None:
    """Return the entry of `ELSEWHERE` that a module falls under."""
    return next((entry for entry in ELSEWHERE if path == entry or (entry[-1] == "/" and path.startswith(entry))), None)


def test_every_module_has_its_test_file_or_names_the_tests_that_run_over_it() -> None:
    assert [path for path in without_test() if excuse(path) is None] == []


@pytest.mark.parametrize("entry", ELSEWHERE)
def test_what_is_tested_elsewhere_is_there_needs_to_be_listed_and_has_its_tests(entry: str) -> None:
    assert any(excuse(path) == entry for path in without_test())
    assert (measures.ROOT / Path(ELSEWHERE[entry])).is_file()
