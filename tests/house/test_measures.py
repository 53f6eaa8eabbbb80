"""The house keeps its measures (`tests/support/measures.py`): sizes, comprehensions, parameters, private names."""

from __future__ import annotations

from collections.abc import Callable

import measures
import pytest

MOST_PRIVATE_NAMES = 8

LIMITS: dict[str, tuple[Callable[[list[measures.Source]], list[str]], bool]] = {
    "long files": (measures.long_files, True),
    "long functions": (measures.long_functions, True),
    "wide functions": (measures.wide_functions, False),
    "large classes": (measures.large_classes, False),
    "crowded folders": (measures.crowded_folders, False),
    "nested comprehensions over lines": (measures.nested_comprehensions, False),
}
"""Measure -> what finds those over its limit, and whether it holds for tests too."""


@pytest.fixture(scope="module")
def product() -> list[measures.Source]:
    return measures.sources(*measures.PRODUCT)


@pytest.fixture(scope="module")
def tests() -> list[measures.Source]:
    return measures.sources("tests")


@pytest.mark.parametrize("measure", LIMITS)
def test_nothing_is_over_a_limit(measure: str, product: list[measures.Source], tests: list[measures.Source]) -> None:
    found, with_tests = LIMITS[measure]
    assert found([*product, *tests] if with_tests else product) == []


def test_comprehensions_are_few(product: list[measures.Source]) -> None:
    assert measures.comprehensions_in_100_lines(product) <= measures.MOST_COMPREHENSIONS


def test_tests_reach_into_few_private_names(tests: list[measures.Source]) -> None:
    places = measures.private_names(tests)
    assert len(places) <= MOST_PRIVATE_NAMES, places
