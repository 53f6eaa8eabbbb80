"""Fences sort by the order of handing out, whatever clocks say, and leave their mark where somebody was before."""

import time
from pathlib import Path

import pytest

from orchestrator.executors import fence
from orchestrator.executors.fence import GENERATION_FILE, Fences
from orchestrator.trial import FENCE_MARK, BundleTask


@pytest.fixture
def task(bundles, tmp_path):
    return BundleTask(bundle=bundles(1)[0], checkpoint_folder=str(tmp_path / "checkpoints" / "ab"))


def _marks(task):
    folder = Path(task.checkpoint_folder)
    return [path.name.removeprefix(FENCE_MARK) for path in folder.iterdir()] if folder.is_dir() else []


def test_a_later_handing_out_sorts_after_an_earlier_one(task):
    fences = Fences()
    given = [fences.fenced(task).fence for _ in range(12)]
    assert given == sorted(set(given))


def test_the_first_handing_out_leaves_nothing_and_the_second_its_mark(task):
    fences = Fences()
    fences.fenced(task)
    assert _marks(task) == []
    second = fences.fenced(task)
    third = fences.fenced(task)
    assert second.fence < third.fence
    assert _marks(task) == [third.fence]


def test_a_bundle_of_an_earlier_driver_is_marked(task):
    Path(task.checkpoint_folder).mkdir(parents=True)
    given = Fences().fenced(task).fence
    assert _marks(task) == [given]


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_a_later_driver_sorts_after_an_earlier_one_whatever_its_clock_says(task, monkeypatch, hours):
    earlier = Fences().fenced(task).fence
    now = time.time()
    monkeypatch.setattr(fence.time, "time", lambda: now + 3600 * hours)
    assert Fences().fenced(task).fence > earlier


def test_what_an_earlier_driver_left_may_be_damaged(task):
    path = Path(task.checkpoint_folder).parent / GENERATION_FILE
    path.parent.mkdir()
    path.write_text("")
    assert Fences().fenced(task).fence
    assert path.read_text()


def test_a_task_without_checkpoints_needs_none(bundles):
    task = BundleTask(bundle=bundles(1)[0])
    assert Fences().fenced(task) is task
    assert Fences().word(task) == ""


def test_two_drivers_in_one_second_leave_different_words(task):
    words = [Fences().word(task) for _ in range(2)]
    assert words[0] != words[1]
    assert (Path(task.checkpoint_folder).parent / GENERATION_FILE).read_text() == words[1]
