from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from orchestrator.metric import GUESSED, Metric, undeclared


def count(scored: Any) -> np.ndarray:
    return np.zeros(1)


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        ({"written": ""}, "written name"),
        ({"written": "x", "ranks": True, "reads_labels": True}, "may rank"),
        ({"written": "x", "ranks": True, "larger_is_better": False}, "may rank"),
        ({"written": "x", "chance": GUESSED, "compute": count}, "from labels"),
        ({"written": "x", "chance": GUESSED, "reads_labels": True}, "computed"),
    ],
)
def test_facts_that_contradict_each_other_are_refused(facts: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Metric(**facts)


def test_a_number_that_no_file_declares_is_written_by_its_name_and_has_no_better_end() -> None:
    metric = undeclared("em_iterations")
    assert (metric.written, metric.percent, metric.larger_is_better) == ("em iterations", False, None)
