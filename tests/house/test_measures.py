"""The house keeps its measures (`tests/support/measures.py`): sizes, comprehensions, parameters, private names.

A place that is over a limit today stands in `TODAY` with what it has; it may shrink, and no other may come.
"""

from __future__ import annotations

from collections.abc import Callable

import measures
import pytest

COMPREHENSIONS_TODAY = 2.3
"""In 100 lines of the product; `measures.MOST_COMPREHENSIONS` is meant."""

MOST_PRIVATE_NAMES = 10

PRODUCT, TESTS = measures.sources(*measures.PRODUCT), measures.sources("tests")

LIMITS: dict[str, tuple[Callable[[list[measures.Source]], list[str]], list[measures.Source]]] = {
    "long files": (measures.long_files, [*PRODUCT, *TESTS]),
    "long functions": (measures.long_functions, [*PRODUCT, *TESTS]),
    "wide functions": (measures.wide_functions, PRODUCT),
    "large classes": (measures.large_classes, PRODUCT),
    "crowded folders": (measures.crowded_folders, PRODUCT),
    "nested comprehensions over lines": (measures.nested_comprehensions, PRODUCT),
}

TODAY = {
    "long files": {
        "analysis/figures/finite_designs.py",
        "orchestrator/api.py",
        "orchestrator/discovery.py",
    },
    "long functions": {"orchestrator/own/command.py"},
    "wide functions": {"trainables/datasets/own_file.py"},
    "large classes": set(),
    "crowded folders": {"orchestrator"},
    "nested comprehensions over lines": {
        "analysis/figures/finite_designs.py",
        "analysis/figures/rankings.py",
        "analysis/figures/searches.py",
        "analysis/figures/sensitivity.py",
        "analysis/pages/paper_tables.py",
        "orchestrator/inference/verdict_chain.py",
    },
}
"""Measure -> files and folders that are over its limit."""


@pytest.mark.parametrize("measure", LIMITS)
def test_nothing_is_over_a_limit_that_was_not_before(measure: str) -> None:
    found, of = LIMITS[measure]
    assert [place for place in found(of) if place.partition(":")[0] not in TODAY[measure]] == []


def test_no_more_comprehensions_come() -> None:
    assert measures.comprehensions_in_100_lines(PRODUCT) <= COMPREHENSIONS_TODAY


def test_tests_reach_into_few_private_names() -> None:
    places = measures.private_names(TESTS)
    assert len(places) <= MOST_PRIVATE_NAMES, places
