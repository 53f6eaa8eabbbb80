"""Plans are read when their files change, and only then."""

import shutil

import numpy as np
import pytest

from analysis.live import studies
from analysis.live.studies import FollowedStudies, stamp
from orchestrator.ledger.studies import add_look


@pytest.fixture
def results(synthetic, tmp_path):
    return shutil.copytree(synthetic.results, tmp_path / "r")


def slots_of(trial_ids):
    return np.arange(len(trial_ids))


@pytest.fixture
def reads(monkeypatch):
    found = []
    read = studies.read_study
    monkeypatch.setattr(studies, "read_study", lambda results, name: found.append(name) or read(results, name))
    return found


def test_a_study_is_read_once_until_its_files_change(results, reads):
    followed = FollowedStudies(results, slots_of)
    first, second = followed.look(), followed.look()
    assert first[0] is second[0] and reads == ["synthetic"] and len(first[0].slots) == 12 * 8 + 24 * 4
    add_look(results, "synthetic", {"at": "2026-01-02", "n_seeds": 5, "planned": False})
    assert len(followed.look()[0].record["looks_taken"]) == 2 and reads == ["synthetic"] * 2


def test_a_study_that_is_gone_is_told_no_more(results):
    followed = FollowedStudies(results, slots_of)
    assert [one.name for one in followed.look()] == ["synthetic"]
    shutil.rmtree(results / "studies" / "synthetic")
    assert followed.look() == [] and followed.problem == ""


def test_a_stamp_changes_with_size_and_time_and_knows_no_absent_file(tmp_path):
    assert stamp([tmp_path / "absent"]) == ()
    (tmp_path / "there").write_text("a")
    before = stamp([tmp_path / "there"])
    (tmp_path / "there").write_text("ab")
    assert stamp([tmp_path / "there"]) != before
