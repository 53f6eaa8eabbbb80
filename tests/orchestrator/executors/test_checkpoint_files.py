"""Checkpoints of workers that do not see the driver's folder, on their way there and back."""

import os
from pathlib import Path

import pytest

from orchestrator.executors.checkpoint_files import LocalCopy, files_in, put, shares
from orchestrator.executors.fence import Fences
from orchestrator.trial import BundleTask


@pytest.fixture
def task(bundles, tmp_path):
    return BundleTask(bundle=bundles(1)[0], checkpoint_folder=str(tmp_path / "driver" / "checkpoints" / "ab"))


def test_a_machine_that_sees_the_drivers_folder_shares_it_and_no_other_does(task, tmp_path):
    word = Fences().word(task)
    assert shares(task, word)
    assert not shares(task, "1 of-another-driver")
    elsewhere = BundleTask(bundle=task.bundle, checkpoint_folder=str(tmp_path / "elsewhere" / "checkpoints" / "ab"))
    assert not shares(elsewhere, word)


def test_files_put_into_a_folder_take_the_place_of_those_before(tmp_path):
    folder = tmp_path / "ab"
    put(folder, (("members.json", b"[]"), ("state.1.a.safetensors", b"old")))
    (folder / ".fence-2").touch()
    put(folder, (("members.json", b"[]"), ("state.2.b.safetensors", b"new")))
    assert files_in(folder) == (("members.json", b"[]"), ("state.2.b.safetensors", b"new"))
    assert (folder / ".fence-2").exists()


def test_a_folder_that_is_not_there_holds_nothing(tmp_path):
    assert files_in(tmp_path / "none") == ()


def test_news_is_each_checkpoint_once(task, tmp_path):
    copy = LocalCopy(task, tmp_path / "own", ())
    folder = Path(copy.task.checkpoint_folder)
    assert folder.is_relative_to(tmp_path / "own")
    assert copy.news() == ()
    put(folder, (("state", b"one"),))
    assert copy.news() == (("state", b"one"),)
    assert copy.news() == ()
    put(folder, (("state", b"two"),))
    os.utime(folder / "state", (1, 1))
    assert copy.news() == (("state", b"two"),)


def test_what_a_bundle_goes_on_from_is_there_and_is_no_news(task, tmp_path):
    (tmp_path / "own" / "ab").mkdir(parents=True)
    (tmp_path / "own" / "ab" / "state.of.long.ago").touch()
    copy = LocalCopy(task, tmp_path / "own", (("state", b"one"),))
    assert files_in(Path(copy.task.checkpoint_folder)) == (("state", b"one"),)
    assert copy.news() == ()


def test_a_checkpoint_deleted_at_the_end_of_its_bundle_is_no_news(task, tmp_path):
    copy = LocalCopy(task, tmp_path / "own", (("state", b"one"),))
    (Path(copy.task.checkpoint_folder) / "state").unlink()
    assert copy.news() == ()
