"""Following a folder, against the read view of a reader that reads everything anew."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.ledger import Ledger
from orchestrator.ledger.rows import batches
from orchestrator.ledger.rows.following import Following
from orchestrator.trial import TrialOutcome, TrialSpec, TrialState

COLUMNS = ("cost.seconds", "collapsed")


def outcome(seed, attempt=1, state=TrialState.COMPLETE, seconds=1.0):
    spec = TrialSpec(method="m", method_version=1, config={"lr": 0.1}, dataset="d", dataset_digest="x", seed=seed)
    return TrialOutcome(spec=spec, attempt=attempt, state=state, metrics={}, cost={"seconds": seconds})


def follow(following, view):
    """Take a look into a dictionary trial -> (attempt, state, seconds)."""
    change = following.look()
    for slot, row in zip(change.slots.tolist(), change.rows.to_pylist(), strict=True):
        assert following.trial_id(slot) == row["trial_id"]
        view[row["trial_id"]] = (row["attempt"], row["state"], row["cost.seconds"])
    for slot in change.gone.tolist():
        del view[following.trial_id(slot)]
    return change


def read(folder):
    rows = Ledger(folder).table(columns=("trial_id", "attempt", "state", "cost.seconds")).to_pylist()
    return {row["trial_id"]: (row["attempt"], row["state"], row["cost.seconds"]) for row in rows}


ATTEMPT = st.tuples(st.integers(0, 4), st.integers(1, 3), st.sampled_from(list(TrialState)))
STEP = st.one_of(
    st.lists(ATTEMPT, min_size=1, max_size=5, unique_by=lambda one: one[:2]),
    st.just("compact"),
    st.just("look"),
    st.tuples(st.just("retract"), st.integers(0, 4)),
)


@settings(deadline=None, max_examples=60)
@given(steps=st.lists(STEP, max_size=12))
def test_whatever_happens_between_looks_what_is_kept_is_the_read_view(steps):
    place = Path(tempfile.mkdtemp())
    try:
        following, view = Following(place / "r", COLUMNS), {}
        with Ledger(place / "r", writable=True) as ledger:
            for number, step in enumerate(steps):
                if step == "compact":
                    ledger.compact()
                elif step == "look":
                    follow(following, view)
                    assert view == read(place / "r")
                elif isinstance(step, tuple):
                    trial_id = outcome(step[1]).spec.trial_id
                    if ledger.states([trial_id]):
                        ledger.retract([trial_id], "why not")
                else:
                    ledger.append([outcome(*one, seconds=float(number)) for one in step])
            follow(following, view)
            assert view == read(place / "r")
    finally:
        shutil.rmtree(place)


@pytest.fixture
def n_read(monkeypatch):
    """Files whose content was read since it was last emptied."""
    found = []
    verified = batches.headers.verified
    monkeypatch.setattr(batches.headers, "verified", lambda file: found.append(file.path.name) or verified(file))
    return found


def test_files_that_were_read_are_not_read_again_and_a_look_at_nothing_new_reads_none(tmp_path, n_read):
    following, view = Following(tmp_path, COLUMNS), {}
    with Ledger(tmp_path, writable=True) as ledger:
        for seed in range(5):
            ledger.append([outcome(seed)])
        follow(following, view)
        n_read.clear()
        assert not follow(following, view) and n_read == []
        ledger.append([outcome(9)])
        assert len(follow(following, view).slots) == 1 and len(set(n_read)) == 1


def test_a_compaction_is_no_news(tmp_path):
    following, view = Following(tmp_path, COLUMNS), {}
    with Ledger(tmp_path, writable=True) as ledger:
        for seed in range(5):
            ledger.append([outcome(seed)])
        follow(following, view)
        ledger.compact()
        assert not follow(following, view)
        ledger.append([outcome(9)])
        assert len(follow(following, view).slots) == 1
    assert view == read(tmp_path)


def test_a_trial_keeps_its_slot_also_one_that_was_asked_for_before_it_had_a_row(tmp_path):
    following = Following(tmp_path, COLUMNS)
    ids = [outcome(seed).spec.trial_id for seed in range(3)]
    assert following.slots(ids).tolist() == [0, 1, 2]
    with Ledger(tmp_path, writable=True) as ledger:
        ledger.append([outcome(2), outcome(7)])
    assert following.look().slots.tolist() == [2, 3] and len(following) == 4
    assert following.slots(ids[::-1]).tolist() == [2, 1, 0]
