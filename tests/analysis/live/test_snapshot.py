import shutil

import pytest

from analysis.live.snapshot import REST, Follower, fingerprint


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def results(synthetic, tmp_path):
    return shutil.copytree(synthetic.results, tmp_path / "r")


def test_the_first_look_tells_every_study_and_the_second_nothing(results):
    clock = Clock()
    follower = Follower(results, clock)
    (study,) = follower.look()["studies"]
    assert study["study"] == "synthetic" and study["missing"] == 1 and study["failed"] == {"diverged": 1}
    assert study["examples"][0]["error"] == "loss is NaN" and not study["report"] and study["rate"] == 0.0
    clock.now = 100.0
    assert follower.look() is None


def test_a_new_row_is_seen_and_counted_by_the_second(results, train_missing):
    clock = Clock()
    follower = Follower(results, clock)
    follower.look()
    train_missing(results)
    clock.now = 10.0
    (study,) = follower.look()["studies"]
    assert study["missing"] == 0 and study["rate"] == 0.1


def test_looking_takes_a_small_share_of_the_time(results, train_missing, monkeypatch):
    clock = Clock()

    def slow(folder):
        clock.now += 2.0
        return []

    monkeypatch.setattr("analysis.live.snapshot.status", slow)
    follower = Follower(results, clock)
    assert follower.look() is not None
    train_missing(results)
    assert follower.look() is None
    clock.now = 2.0 * REST
    assert follower.look() is not None


def test_a_folder_that_cannot_be_read_is_said(results):
    shutil.rmtree(results / "trials")
    (results / "trials").write_text("no folder")
    found = Follower(results, Clock()).look()
    assert found["studies"] == [] and "trials" in found["error"]


def test_looking_whether_something_changed_opens_no_file(results, monkeypatch):
    before = fingerprint(results)
    monkeypatch.setattr("builtins.open", lambda *a, **k: pytest.fail("opened"))
    assert fingerprint(results) == before
