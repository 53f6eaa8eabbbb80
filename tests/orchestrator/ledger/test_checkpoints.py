"""Checkpoint folders of a results folder: which bundles are unfinished, whose they are, and how they end."""

import json
import os

import pytest

from orchestrator.errors import LedgerError
from orchestrator.ledger.checkpoints import Checkpoints
from orchestrator.trial import MEMBERS_FILE, digest

MEMBERS = ["a" * 20, "b" * 20]
BUNDLE = digest(MEMBERS)


def refuse():
    raise LedgerError("open for reading only")


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path, lambda: None)


def written(checkpoints, bundle_id, name, at):
    folder = checkpoints.folder(bundle_id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"x")
    os.utime(folder / name, ns=(at, at))


def test_bundles_come_in_the_order_of_their_last_write_and_hidden_files_are_none(checkpoints):
    assert checkpoints.unfinished() == []
    written(checkpoints, "ab", "state", 10)
    written(checkpoints, "cd", "state", 30)
    written(checkpoints, "ab", "more", 20)
    written(checkpoints, "ef", ".half", 90)
    assert checkpoints.unfinished() == ["cd", "ab"]


def test_members_are_believed_only_if_the_bundle_is_named_after_them(checkpoints):
    written(checkpoints, BUNDLE, MEMBERS_FILE, 1)
    assert checkpoints.members(BUNDLE) == []
    (checkpoints.folder(BUNDLE) / MEMBERS_FILE).write_text(json.dumps(MEMBERS))
    assert checkpoints.members(BUNDLE) == MEMBERS
    (checkpoints.folder(BUNDLE) / MEMBERS_FILE).write_text(json.dumps(MEMBERS[::-1]))
    assert checkpoints.members(BUNDLE) == []
    assert checkpoints.members("nobody") == []


def test_a_finished_bundle_is_deleted_and_one_that_cannot_be_used_is_set_aside(checkpoints, tmp_path):
    for bundle_id in ("ab", "cd"):
        written(checkpoints, bundle_id, "state", 1)
    checkpoints.forget("ab")
    checkpoints.forget("ab")  # one that is gone is no error
    checkpoints.set_aside("cd")
    assert checkpoints.unfinished() == []
    assert (tmp_path / "quarantine" / "checkpoints" / "cd" / "state").read_bytes() == b"x"


def test_a_reader_deletes_nothing(tmp_path):
    reader = Checkpoints(tmp_path, refuse)
    written(reader, "ab", "state", 1)
    for change in (reader.forget, reader.set_aside):
        with pytest.raises(LedgerError, match="reading only"):
            change("ab")
    assert reader.unfinished() == ["ab"]


def test_a_bundle_whose_name_leaves_the_folder_is_refused(checkpoints):
    with pytest.raises(LedgerError, match="no name of a file"):
        checkpoints.folder("../trials")
