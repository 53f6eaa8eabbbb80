"""Every module has its test file in the mirrored place, or stands here with the place that tests it instead."""

from __future__ import annotations

from pathlib import Path

import measures
import pytest

HELD = (
    "analysis/across",
    "analysis/data",
    "analysis/notebooks",
    "analysis/sensitivity",
    "analysis/tables",
    "studies",
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
"""Folders that are held to it."""

ELSEWHERE = {
    "analysis/notebooks/": "tests/analysis/pages/test_notebook.py",
    "studies/": "tests/studies/test_studies.py",
    "trainables/adapters/dataset_file.py": "tests/trainables/adapters/test_command.py",
    "trainables/adapters/launcher.py": "tests/trainables/adapters/test_command.py",
    "trainables/adapters/places.py": "tests/trainables/adapters/test_command.py",
    "trainables/adapters/processes.py": "tests/trainables/adapters/test_command.py",
    "trainables/datasets/": "tests/contracts/test_datasets.py",
    "trainables/encoders/": "tests/trainables/encoders/test_encoders.py",
    "trainables/metrics/": "tests/contracts/test_metrics.py",
    "trainables/training/bundle_training.py": "tests/trainables/training/test_loop.py",
    "trainables/training/resumption.py": "tests/trainables/training/test_loop.py",
}
"""Module, or folder in which one file is one thing of a kind, -> the tests that run over it.

A suite over everything that is found in a folder tests what its files promise; the loop is the only way to a bundle's
training and to its resumption, and is tested as such.
"""


def excuse(path: str) -> str | None:
    """Return the entry of `ELSEWHERE` that a module falls under."""
    return next((entry for entry in ELSEWHERE if path == entry or (entry[-1] == "/" and path.startswith(entry))), None)


def test_every_module_has_its_test_file_or_names_the_tests_that_run_over_it() -> None:
    alone = measures.without_test(measures.sources(*HELD))
    assert [path for path in alone if excuse(path) is None] == []


@pytest.mark.parametrize("entry", ELSEWHERE)
def test_what_is_tested_elsewhere_is_there_needs_to_be_listed_and_has_its_tests(entry: str) -> None:
    alone = measures.without_test(measures.sources(*HELD))
    assert any(excuse(path) == entry for path in alone)
    assert (measures.ROOT / Path(ELSEWHERE[entry])).is_file()
