"""What becomes of a member: only numbers that it is wanted for may fail it, and only where they have to be there."""

import math

import pytest

from orchestrator.plateau import Plateau, StopRule
from orchestrator.trial import FailureKind, TrialState
from trainables.training.fates import at_plateau, diverged, overdue

NAN = math.nan


@pytest.mark.parametrize(
    ("row", "due", "named"),
    [
        ({"metric.loss": NAN}, False, "metric.loss"),
        ({"diagnostic.loss": math.inf}, False, "diagnostic.loss"),
        ({"metric.nmi": NAN}, True, "metric.nmi"),
        ({"metric.nmi": NAN}, False, ""),
        ({"metric.silhouette": NAN, "metric.loss": 1.0}, True, ""),
        ({"diagnostic.nmi_of_something": NAN}, True, ""),
        ({"metric.loss": 1.0, "metric.nmi": 0.5}, True, ""),
    ],
)
def test_a_number_that_is_none_fails_a_trial_only_where_the_trial_is_wanted_for_it(row, due, named):
    fate = diverged(row, 3, ("nmi",), lambda metric: due)
    assert (fate is None) == (not named)
    if fate is not None:
        assert (fate.state, fate.kind) == (TrialState.FAILED, FailureKind.DIVERGED)
        assert fate.error.startswith(f"{named} is ")
        assert fate.error.endswith("after epoch 3")


def test_a_member_over_its_time_has_failed_with_both_figures():
    assert overdue(5.0, None, 1) is None
    assert overdue(5.0, 5.0, 1) is None
    fate = overdue(5.1, 5.0, 2)
    assert fate.kind is FailureKind.TIME_LIMIT
    assert fate.error == "5.1 s after epoch 2; the trials' limit is 5 s"


def test_a_plateau_is_read_off_the_curve_and_the_row_at_hand():
    written = StopRule(Plateau(patience=1), larger_is_better=False).written
    assert not at_plateau("", [1.0, 1.0], {"metric.loss": 1.0})
    assert at_plateau(written, [1.0], {"metric.loss": 1.0})
    assert not at_plateau(written, [1.0], {"metric.loss": 0.5})
    assert at_plateau(written, [1.0], {"metric.nmi": 1.0})
