"""What a Ray of our own is started with, without starting any."""

import contextlib
import os

import pytest

from orchestrator.executors.ray_cluster import folders, own_ray


def test_the_object_store_fits_into_shared_memory(monkeypatch):
    class Small:
        free = 64 * 2**20

    monkeypatch.setattr(own_ray.shutil, "disk_usage", lambda path: Small)
    assert own_ray.store_bytes() == 80 * 2**20  # Ray's least
    Small.free = 2**40
    assert own_ray.store_bytes() == own_ray.OBJECT_STORE_BYTES


@pytest.mark.parametrize("failures", [1, 2])
def test_a_ray_that_does_not_come_up_is_started_once_more_in_a_folder_of_its_own(monkeypatch, tmp_path, failures):
    places = []

    def init(**options):
        places.append(os.path.dirname(options["_temp_dir"]))
        assert os.path.isdir(places[-1])
        if len(places) <= failures:
            raise RuntimeError("The current node timed out during startup.")

    monkeypatch.setattr(own_ray, "lean_node", lambda session, **_: contextlib.nullcontext())
    monkeypatch.setattr(own_ray, "_import_tune", lambda: None)
    monkeypatch.setattr("ray.init", init)  # not the module: the session's own Ray may be at work in another thread
    monkeypatch.setattr("ray.shutdown", lambda: None)
    monkeypatch.setattr(folders, "temporary_folder", lambda: str(tmp_path))
    starting = own_ray.OwnRay(quiet=True, forks=False)
    starting.prepare()
    if failures == 1:
        starting.start({}, lambda: False)
    else:
        with pytest.raises(RuntimeError, match="timed out"):
            starting.start({}, lambda: False)
    assert len(set(places)) == 2
    assert os.listdir(tmp_path) == [os.path.basename(places[-1])]
