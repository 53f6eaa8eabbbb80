from __future__ import annotations

from typing import Any

import pytest

from orchestrator.metric import GUESSED, Metric, also_computed, undeclared, with_added


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        ({"written": ""}, "written name"),
        ({"written": "x", "ranks": True, "reads_labels": True}, "may rank"),
        ({"written": "x", "ranks": True, "larger_is_better": False}, "may rank"),
        ({"written": "x", "chance": GUESSED, "reads_labels": True}, "computed"),
    ],
)
def test_facts_that_contradict_each_other_are_refused(facts: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Metric(**facts)


def test_a_number_that_no_file_declares_is_written_by_its_name_and_has_no_better_end() -> None:
    metric = undeclared("em_iterations")
    assert (metric.written, metric.percent, metric.larger_is_better) == ("em iterations", False, None)


def test_a_metric_is_added_within_a_block_beside_the_others_or_alone() -> None:
    known, own = {"loss": undeclared("loss")}, undeclared("own")
    with also_computed("own", own):
        assert dict(with_added(known)) == {**known, "own": own}
        with also_computed("own", own, alone=True):
            assert dict(with_added(known)) == {"own": own}
    assert with_added(known) == known
