"""The house keeps its measures (`tests/support/measures.py`): sizes, comprehensions, parameters, private names."""

from __future__ import annotations

from collections.abc import Callable

import measures
import pytest

MOST_PRIVATE_NAMES = 8

PRODUCT, TESTS = measures.sources(*measures.PRODUCT), measures.sources("tests")

LIMITS: dict[str, tuple[Callable[[list[measures.Source]], list[str]], list[measures.Source]]] = {
    "long files": (measures.long_files, [*PRODUCT, *TESTS]),
    "long functions": (measures.long_functions, [*PRODUCT, *TESTS]),
    "wide functions": (measures.wide_functions, PRODUCT),
    "large classes": (measures.large_classes, PRODUCT),
    "crowded folders": (measures.crowded_folders, PRODUCT),
    "nested comprehensions over lines": (measures.nested_comprehensions, PRODUCT),
}


@pytest.mark.parametrize("measure", LIMITS)
def test_nothing_is_over_a_limit(measure: str) -> None:
    found, of = LIMITS[measure]
    assert found(of) == []


def test_comprehensions_are_few() -> None:
    assert measures.comprehensions_in_100_lines(PRODUCT) <= measures.MOST_COMPREHENSIONS


def test_tests_reach_into_few_private_names() -> None:
    places = measures.private_names(TESTS)
    assert len(places) <= MOST_PRIVATE_NAMES, places
