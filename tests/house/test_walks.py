"""A study passes few modules on its way from the command to the verdict, and planning is entered seldom."""

from __future__ import annotations

import pytest
import walks

MOST_MODULES, MOST_ENTRIES = 20, 3


@pytest.fixture(scope="module")
def walk():
    return walks.walk_of_a_study()


def test_a_study_passes_at_most_twenty_modules_to_its_verdict(walk):
    assert "orchestrator.run.runner" in walk.modules and "analysis.verdicts.verdicts" in walk.modules
    assert len(walk.modules) <= MOST_MODULES, walk.modules


def test_no_module_of_planning_is_entered_more_than_three_times_from_outside(walk):
    entered = {}
    for (before, module, _), count in walk.hand_overs.items():
        if module.startswith("orchestrator.plan.") and not before.startswith("orchestrator.plan."):
            entered[module] = entered.get(module, 0) + count
    assert entered and max(entered.values()) <= MOST_ENTRIES, entered
