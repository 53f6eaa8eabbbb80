import os
import shutil

import pytest

from analysis.live.snapshot import REST, Follower
from orchestrator.inspection.status import status
from orchestrator.ledger import Ledger
from orchestrator.ledger.studies import read_study


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def results(synthetic, tmp_path):
    return shutil.copytree(synthetic.results, tmp_path / "r")


def same_as_status(told, results):
    for one, known in zip(told, status(results), strict=True):
        for name, value in known.items():
            assert name == "examples" or one[name] == value, name


def test_the_first_look_tells_every_study_and_a_later_one_nothing(results, monkeypatch):
    clock = Clock()
    follower = Follower(results, clock)
    (study,) = follower.look()["studies"]
    assert study["study"] == "synthetic" and study["missing"] == 1 and study["failed"] == {"diverged": 1}
    (failure,) = study["failures"]
    assert failure["line"] == failure["text"] == "loss is NaN" and failure["count"] == 1
    assert failure["trial_id"] == status(results)[0]["examples"][0]["trial_id"]
    assert not study["report"] and study["rate"] == 0.0 and study["searches"][0]["importances"] == []
    monkeypatch.setattr("analysis.live.snapshot.YOUNG_SECONDS", 0.0)
    clock.now = 100.0
    (study,) = follower.look()["studies"]
    assert study["searches"][0]["importances"][0][0] == "fairness_weight"  # which takes longer: told by a later look
    clock.now = 200.0
    assert follower.look() is None


def test_what_is_told_is_the_status_also_after_rows_compaction_and_retraction(results, train_missing):
    clock = Clock()
    follower = Follower(results, clock)
    same_as_status(follower.look()["studies"], results)
    train_missing(results)
    clock.now = 10.0
    same_as_status(follower.look()["studies"], results)
    with Ledger(results, writable=True) as ledger:
        ledger.compact()
        ledger.retract(ledger.studies.read("synthetic")[1]["trial_id"].to_pylist()[:3], "a wrong dataset")
    clock.now = 20.0
    (study,) = follower.look()["studies"]
    assert study["retracted"] == study["missing"] == 3
    same_as_status([study], results)


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
        clock.now += 0.5
        return ""

    monkeypatch.setattr("analysis.live.snapshot.holder_of", slow)
    follower = Follower(results, clock)
    assert follower.look() is not None and follower.look() is not None  # the second tells what the first left to it
    train_missing(results)
    assert follower.look() is None
    clock.now += 0.5 * REST
    assert follower.look() is not None


def test_what_changes_within_one_tick_of_the_clock_of_files_is_seen(results, train_missing, monkeypatch):
    monkeypatch.setattr("analysis.live.snapshot.YOUNG_SECONDS", 600.0)
    clock, trials = Clock(), results / "trials"
    os.utime(trials)
    tick = trials.stat().st_mtime_ns
    follower = Follower(results, clock)
    follower.look()
    clock.now = 10.0
    follower.look()
    train_missing(results)
    os.utime(trials, ns=(tick, tick))
    (results / "lock").unlink()
    clock.now = 20.0
    assert follower.look()["studies"][0]["missing"] == 0


def test_a_search_under_way_goes_on_through_looks_without_a_row_and_a_plan_that_is_written_again(
    results, train_missing, monkeypatch
):
    record, plan = read_study(results, "synthetic")
    record["searches"][0] |= {"chosen": None, "chosen_number": None, "history": []}
    with Ledger(results, writable=True) as ledger:
        ledger.studies.write("synthetic", record, plan)
    clock, told = Clock(), []
    follower = Follower(results, clock)
    for step in range(4):
        clock.now = 100.0 * step
        if step == 2:
            (results / "lock").touch()
        if step == 3:
            with Ledger(results, writable=True) as ledger:
                ledger.studies.write("synthetic", {**record, "git_commit": "another"}, plan)
        (study,) = follower.look()["studies"]
        told.append(study["searches"][0])
    assert [one["n"] for one in told] == [0, 24, 24, 24]  # the first look leaves configurations to the second
    assert told[1]["importances"] and told[3]["importances"] == told[1]["importances"]


def test_a_plan_is_not_read_again_when_only_rows_came(results, train_missing, monkeypatch):
    clock = Clock()
    follower = Follower(results, clock)
    follower.look()
    train_missing(results)
    monkeypatch.setattr("analysis.live.studies.read_study", lambda *_: pytest.fail("read again"))
    clock.now = 10.0
    assert follower.look()["studies"][0]["missing"] == 0


def test_a_folder_that_cannot_be_read_is_said_once(results):
    shutil.rmtree(results / "trials")
    (results / "trials").write_text("no folder")
    clock = Clock()
    follower = Follower(results, clock)
    found = follower.look()
    assert found["studies"] == [] and "trials" in found["error"]


def test_a_study_whose_plan_is_broken_is_said_and_the_others_are_told(results):
    shutil.copytree(results / "studies" / "synthetic", results / "studies" / "broken")
    (results / "studies" / "broken" / "plan.parquet").write_bytes(b"nothing")
    found = Follower(results, Clock()).look()
    assert [one["study"] for one in found["studies"]] == ["synthetic"] and "broken" in found["error"]


def test_looking_whether_something_changed_opens_no_file(results, monkeypatch):
    follower = Follower(results)
    before = follower.fingerprint()
    monkeypatch.setattr("builtins.open", lambda *a, **k: pytest.fail("opened"))
    assert follower.fingerprint() == before
