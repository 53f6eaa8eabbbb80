"""Ray's files and address, without starting any Ray."""

import contextlib
import os

import pytest

from orchestrator.executors.ray_cluster import cluster, folders, own_ray


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
    starting = cluster.Cluster.__new__(cluster.Cluster)
    starting._end, starting._expelled = cluster.threading.Event(), cluster.threading.Event()
    starting._private, starting.quiet = folders.PrivateFolder(), True
    starting._template, starting._forks = None, False
    if failures == 1:
        starting._start_own({})
    else:
        with pytest.raises(RuntimeError, match="timed out"):
            starting._start_own({})
    assert len(set(places)) == 2
    assert os.listdir(tmp_path) == [os.path.basename(places[-1])]
