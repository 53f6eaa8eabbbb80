"""Which bundles go on as they were: those that find their checkpoint, each trial in one of them only."""

import json

import pytest

from orchestrator.ledger import Ledger
from orchestrator.run.unfinished_bundles import forget_ended, revivable
from orchestrator.trial import MEMBERS_FILE, TrialSpec, digest


def spec(seed):
    return TrialSpec(
        method="toy", method_version=1, config={}, dataset="digits", dataset_digest="d", seed=seed, n_epochs=1
    )


SPECS = {spec(seed).trial_id: spec(seed) for seed in range(4)}
A, B, C, D = SPECS


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path, writable=True) as ledger:
        yield ledger


def left(ledger, members, at):
    """Leave the checkpoint of a bundle, as if it was written at some second."""
    import os

    folder = ledger.checkpoints.folder(digest(members))
    folder.mkdir(parents=True)
    (folder / MEMBERS_FILE).write_text(json.dumps(members))
    os.utime(folder / MEMBERS_FILE, (at, at))


def revived(ledger, missing, wanted=SPECS):
    return [[one.trial_id for one in members] for members in revivable(ledger, wanted, missing)]


def test_a_bundle_with_a_member_that_ended_goes_on_whole(ledger):
    left(ledger, [B, A], 1)
    assert revived(ledger, {A}) == [[B, A]]
    assert revived(ledger, {C}) == []


def test_a_bundle_of_which_a_member_is_not_asked_for_does_not(ledger):
    left(ledger, [A, B], 1)
    assert revived(ledger, {A}, {A: SPECS[A]}) == []


def test_a_trial_goes_on_in_the_bundle_that_was_written_to_last(ledger):
    left(ledger, [A, B, C, D], 1)
    left(ledger, [A, B], 2)
    assert revived(ledger, {A, B, C, D}) == [[A, B]]


def test_checkpoints_are_deleted_once_all_members_have_ended_or_nobody_knows_whose_they_are(ledger):
    left(ledger, [A, B], 1)
    left(ledger, [C, D], 2)
    nobody = ledger.checkpoints.folder("nobody")
    nobody.mkdir(parents=True)
    (nobody / "state").write_bytes(b"x")
    forget_ended(ledger, lambda trial_id: trial_id in (A, B, C))
    assert ledger.checkpoints.unfinished() == [digest([C, D])]
