"""Ray's files and address, without starting any Ray."""

import contextlib
import os
import socket

import pytest

from orchestrator.errors import RequestError
from orchestrator.executors.ray_tune import cluster, folders


def test_an_address_somebody_listens_at_passes():
    with socket.create_server(("127.0.0.1", 0)) as server:
        cluster.check_address(f"127.0.0.1:{server.getsockname()[1]}")


def test_a_ray_of_our_own_needs_no_listener():
    cluster.check_address("local")


def test_auto_is_the_address_of_the_environment_or_of_the_last_ray_start(monkeypatch, tmp_path):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    with pytest.raises(RequestError, match="--address auto: no Ray cluster runs on this machine"):
        cluster.check_address("auto")
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:1\n")
    with pytest.raises(RequestError, match=r"answers at '127\.0\.0\.1:1'"):
        cluster.check_address("auto")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with pytest.raises(RequestError, match=r"answers at '127\.0\.0\.1:9'"):
        cluster.check_address("auto")


def test_the_object_store_fits_into_shared_memory(monkeypatch):
    class Small:
        free = 64 * 2**20

    monkeypatch.setattr(cluster.shutil, "disk_usage", lambda path: Small)
    assert cluster.store_bytes() == 80 * 2**20  # Ray's least
    Small.free = 2**40
    assert cluster.store_bytes() == cluster.OBJECT_STORE_BYTES


def test_a_dead_cluster_is_a_request_error_with_the_address_in_it():
    with pytest.raises(RequestError, match=r"no Ray cluster answers at '127\.0\.0\.1:1'"):
        cluster.check_address("127.0.0.1:1")


@pytest.mark.parametrize("failures", [1, 2])
def test_a_ray_that_does_not_come_up_is_started_once_more_in_a_folder_of_its_own(monkeypatch, tmp_path, failures):
    places = []

    def init(**options):
        places.append(os.path.dirname(options["_temp_dir"]))
        assert os.path.isdir(places[-1])
        if len(places) <= failures:
            raise RuntimeError("The current node timed out during startup.")

    monkeypatch.setattr(cluster, "lean_node", lambda session, **_: contextlib.nullcontext())
    monkeypatch.setattr(cluster, "_import_tune", lambda: None)
    monkeypatch.setattr("ray.init", init)  # not the module: the session's own Ray may be at work in another thread
    monkeypatch.setattr("ray.shutdown", lambda: None)
    monkeypatch.setattr(folders, "temporary_folder", lambda: str(tmp_path))
    starting = cluster.Cluster.__new__(cluster.Cluster)
    starting._end, starting._private, starting.quiet = cluster.threading.Event(), folders.PrivateFolder(), True
    if failures == 1:
        starting._start_own({})
    else:
        with pytest.raises(RuntimeError, match="timed out"):
            starting._start_own({})
    assert len(set(places)) == 2
    assert os.listdir(tmp_path) == [os.path.basename(places[-1])]
