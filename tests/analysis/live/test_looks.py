"""When one may look at a study under way."""

import numpy as np
import pytest

from analysis.live.looks import looks_told
from analysis.live.studies import FollowedStudy

SEEDS = np.repeat(np.arange(6), 2)


def told(n_ended, taken=(), planned=(2, 4, 6), **record):
    looks = [{"at": "now", "n_seeds": n, "planned": n in planned} for n in taken]
    record |= {"seeds": {"planned": list(planned), "file": 1}, "looks_taken": looks}
    slots = np.arange(len(SEEDS))
    has_row = slots < n_ended
    return looks_told(FollowedStudy("s", record, slots, slots, SEEDS), has_row)


@pytest.mark.parametrize(("n_ended", "seeds"), [(0, 0), (1, 0), (2, 1), (11, 5), (12, 6)])
def test_a_seed_counts_when_all_its_trials_have_ended(n_ended, seeds):
    assert told(n_ended)["seeds"] == seeds


def test_seeds_after_one_that_is_not_whole_do_not_count():
    slots = np.arange(12)
    record = {"seeds": {"planned": [6]}, "looks_taken": []}
    assert looks_told(FollowedStudy("s", record, slots, slots, SEEDS), slots != 4)["seeds"] == 2


def test_the_next_look_is_the_first_planned_one_that_was_not_taken():
    assert (
        told(12)["next"] == 2
        and told(12, (2,))["next"] == 4
        and told(12, (2,))["share"] == pytest.approx(2 / 3, abs=1e-3)
    )
    assert told(12, (2, 4, 6))["next"] == 0 and told(12, (2, 4, 6))["share"] == 1.0


def test_a_study_that_stopped_early_has_no_next_look():
    assert told(12, (2,), finished_key="k")["next"] == 0


def test_a_look_by_hand_is_told_as_one():
    assert told(12, (2, 3))["by_hand"] == [3]


def test_a_study_that_confirms_nothing_has_no_looks():
    none = np.zeros(0, np.int64)
    record = {"seeds": {"planned": [6]}, "looks_taken": []}
    assert looks_told(FollowedStudy("s", record, none, none, none), none > 0) is None
