"""What is in a parcel: a loan of the dataset, the user's code and the checkpoint where the worker has them not."""

from dataclasses import replace

import pytest

from orchestrator.executors.ray_tune import datasets, packing
from orchestrator.executors.ray_tune.packing import Packing
from orchestrator.trial import BundleTask


@pytest.fixture
def task(bundles, tmp_path):
    """A task of a user's method that is handed out for the second time."""
    folder = tmp_path / "checkpoints" / "bundle"
    folder.mkdir(parents=True)
    (folder / "state").write_bytes(b"half-way")
    (tmp_path / "plugin" / "methods").mkdir(parents=True)
    (tmp_path / "plugin" / "methods" / "own.py").write_text("RATE = 1\n")
    plugins = (str(tmp_path / "plugin"),)
    return BundleTask(bundle=bundles(1, dataset="digits:subset=30")[0], checkpoint_folder=str(folder), plugins=plugins)


@pytest.fixture
def store(monkeypatch):
    """An object store: what was put into it, in order."""
    content = []

    def put(what):
        content.append(what)
        return f"reference {len(content) - 1}"

    for module in (datasets, packing):
        monkeypatch.setattr(module, "into_store", put)
    return content


def test_workers_of_this_machine_get_places_and_nothing_through_the_store(task, store, tmp_path):
    content = Packing().content(task, str(tmp_path / "cluster"))
    assert (content.code, content.files, store) == (None, (), [])
    assert content.loan.folder.startswith(str(tmp_path / "cluster"))
    assert replace(content.task, fence="") == task
    assert content.word


def test_each_dataset_has_one_place_and_each_handing_out_a_later_fence(task, tmp_path):
    made = Packing()
    first, again = (made.content(task, str(tmp_path)) for _ in range(2))
    assert first.loan == again.loan
    assert first.task.fence < again.task.fence
    spec = replace(task.bundle.specs[0], dataset="digits:subset=40")
    other = made.content(replace(task, bundle=replace(task.bundle, specs=(spec,))), str(tmp_path))
    assert other.loan.folder != first.loan.folder


def test_workers_elsewhere_get_code_and_dataset_once_and_the_checkpoint_each_time(task, store):
    made = Packing()
    first, again = (made.content(task, None) for _ in range(2))
    assert first.code == again.code
    assert first.loan is again.loan
    assert first.files != again.files
    n_checkpoints = sum(isinstance(one, tuple) and ("state", b"half-way") in one for one in store)
    assert (len(store), n_checkpoints) == (4, 2)
    made.clear()  # the cluster is another one: its store is empty
    assert made.content(task, None).code != first.code
    assert len(store) == 7


def test_a_dataset_that_cannot_be_loaded_is_left_to_the_worker_to_report(task, store):
    spec = replace(task.bundle.specs[0], dataset="no_such_dataset")
    content = Packing().content(replace(task, bundle=replace(task.bundle, specs=(spec,)), plugins=()), None)
    assert (content.loan, content.code) == (None, None)
