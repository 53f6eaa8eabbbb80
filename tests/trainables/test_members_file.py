"""Whose checkpoint a folder holds is written once, whole, and before anything else."""

import json

from orchestrator.trial import MEMBERS_FILE
from trainables.members_file import name_members


def test_members_are_named_in_their_order_in_a_folder_that_is_made_for_it(tmp_path):
    folder = tmp_path / "checkpoints" / "bundle"
    name_members(folder, ("b", "a"))
    assert json.loads((folder / MEMBERS_FILE).read_text()) == ["b", "a"]
    assert [path.name for path in folder.iterdir()] == [MEMBERS_FILE]  # nothing half-written is left beside it


def test_who_comes_later_changes_nothing(tmp_path):
    name_members(tmp_path, ["first"])
    before = (tmp_path / MEMBERS_FILE).stat().st_mtime_ns
    name_members(tmp_path, ["second"])
    assert json.loads((tmp_path / MEMBERS_FILE).read_text()) == ["first"]
    assert (tmp_path / MEMBERS_FILE).stat().st_mtime_ns == before
