"""The lean Ray of one machine: what does not run, and what its workers inherit."""

import contextlib
import gc
import importlib
import os
import random
import stat
import subprocess
import sys
import weakref
from pathlib import Path

import psutil
import pytest

from orchestrator.executors.ray_cluster import private_api
from orchestrator.executors.ray_tune import trainable


def test_only_what_one_machine_needs_runs(ray_executor, source_of, bundles):
    ray_executor.run(source_of(bundles(1)))
    commands = [" ".join(process.cmdline()) for process in psutil.Process().children(recursive=True)]
    ray_own = [command for command in commands if ray_executor.folder in command]
    assert any("gcs_server" in command for command in ray_own)
    assert not [c for c in ray_own for name in ("monitor.py", "dashboard.py") if name in c.split(" --")[0]]


def test_ray_of_our_own_listens_on_loopback_only(ray_executor, source_of, bundles):
    ray_executor.run(source_of(bundles(1)))
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    listening = {}
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # what stands in for agents sleeps in processes of its own
            for connection in process.net_connections("inet"):
                if connection.status == psutil.CONN_LISTEN:
                    listening[connection.laddr] = process.name()
    assert {"gcs_server", "raylet"} <= set(listening.values())
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


CLIENT = """
import sys
from ray._raylet import GcsClient
try:
    GcsClient(address=sys.argv[1]).internal_kv_keys(b"", None, timeout=20)
    print("admitted")
except Exception as error:
    print("refused:", type(error).__name__)
"""


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ({"RAY_AUTH_MODE": "disabled"}, "refused: AuthenticationError"),
        ({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "f" * 64}, "refused: AuthenticationError"),
        ({}, "admitted"),
    ],
    ids=["no token", "another token", "its own token"],
)
def test_a_client_without_the_token_of_our_ray_is_refused(ray_executor, source_of, bundles, token, says):
    ray_executor.run(source_of(bundles(1)))
    import ray

    command = [sys.executable, "-c", CLIENT, ray.get_runtime_context().gcs_address]
    environment = {**os.environ, **token}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == says, done.stderr[-2000:]


def test_nobody_else_can_enter_the_folder_that_workers_import_from(ray_executor, source_of, bundles):
    ray_executor.run(source_of(bundles(1)))
    folder = Path(ray_executor.folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    workers = [p for p in psutil.Process().children(recursive=True) if p.name().startswith("ray::Trainable")]
    for part in workers[0].environ().get("PYTHONPATH", str(folder)).split(os.pathsep):
        assert Path(part).is_relative_to(folder) or not os.stat(part).st_mode & stat.S_IWOTH


def test_workers_have_their_environment_and_the_driver_keeps_its_own(ray_executor, source_of, bundles):
    ray_executor.run(source_of(bundles(1)))
    workers = [p for p in psutil.Process().children(recursive=True) if p.name().startswith("ray::Trainable")]
    assert workers
    folder = Path(ray_executor.folder, "template")
    for worker in workers:
        environment = worker.environ()
        assert environment["MALLOC_TRIM_THRESHOLD_"] == "8000000000"
        assert environment["OMP_NUM_THREADS"] == "1"
        assert str(folder) in " ".join(worker.parent().cmdline())  # a copy: no runtime environment was made for it
    assert private_api.HOOK_VARIABLE not in os.environ and "MALLOC_TRIM_THRESHOLD_" not in os.environ


def test_the_hook_gives_a_worker_the_search_path_of_the_driver(tmp_path, monkeypatch):
    environment = private_api.write_hook(tmp_path / "hook", [*sys.path, "/of/the/driver"])
    name = environment[private_api.HOOK_VARIABLE].removesuffix(".run")
    monkeypatch.setattr(trainable, "search_path", [])
    monkeypatch.setattr(sys, "path", [environment["PYTHONPATH"].split(os.pathsep)[0], *sys.path])
    hook = importlib.import_module(name)
    hook.run()
    assert sys.path[-1] == trainable.search_path[-1] == "/of/the/driver"
    assert "trainables.training.loop" in sys.modules


def test_what_is_set_for_others_is_taken_back_whatever_happens(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("NEW_ONE", raising=False)
    with pytest.raises(ValueError, match="oh"), private_api.inherited({"OMP_NUM_THREADS": "1", "NEW_ONE": "x"}):
        assert (os.environ["OMP_NUM_THREADS"], os.environ["NEW_ONE"]) == ("1", "x")
        raise ValueError("oh")
    assert os.environ["OMP_NUM_THREADS"] == "3" and "NEW_ONE" not in os.environ


def test_a_run_imports_no_tracker_to_count_callbacks(ray_executor, source_of, bundles):
    from ray.tune.tune import air_usage

    ray_executor.run(source_of(bundles(1)))
    assert [name for name in sys.modules if name.startswith("ray.air.integrations.")] == []
    whole = air_usage.tag_callbacks
    with private_api.without_census():
        assert air_usage.tag_callbacks([object()]) is False and air_usage.tag_callbacks is not whole
    assert air_usage.tag_callbacks is whole


def test_a_run_draws_nothing_from_the_random_stream_of_the_process(ray_executor, source_of, bundles):
    ray_executor.run(source_of(bundles(1)))  # the start of Ray itself draws
    before = random.getstate()
    ray_executor.run(source_of(bundles(6)))
    assert random.getstate() == before


def test_two_hooks_have_different_names(tmp_path):
    names = {private_api.write_hook(tmp_path / str(n), [])[private_api.HOOK_VARIABLE] for n in range(3)}
    assert len(names) == 3 and all(list(Path(tmp_path).rglob(f"{name.removesuffix('.run')}.py")) for name in names)


def test_a_ray_with_logs_and_what_was_replaced_are_as_ray_has_them():
    from ray._private import node, parameter, services
    from ray.tune.execution import class_cache

    known = parameter.RayParams, node.Node.start_api_server, class_cache.DEFAULT_ENV_VARS
    resolved = services.resolve_ip_for_localhost
    with private_api.lean_node("s", with_logs=True), private_api.inherited_actors():
        assert parameter.RayParams().include_log_monitor and parameter.RayParams().no_monitor
        assert class_cache.DEFAULT_ENV_VARS == {}
    with private_api.lean_node("s", with_logs=False):
        assert not parameter.RayParams().include_log_monitor
        assert services.resolve_ip_for_localhost("127.0.0.1") == "127.0.0.1"
    assert services.resolve_ip_for_localhost is resolved
    assert known == (parameter.RayParams, node.Node.start_api_server, class_cache.DEFAULT_ENV_VARS)


class Ring:
    """An object that refers to itself, as what Tune leaves behind."""

    def __init__(self):
        self.itself = self


def test_nobody_collects_what_is_garbage_while_ray_shuts_down():
    ring = Ring()
    alive = weakref.ref(ring)
    with private_api.with_garbage_kept():
        del ring
        gc.collect()
        assert alive() is not None
    gc.collect()
    assert alive() is None


SHUTS_DOWN = """
import gc

import ray

from orchestrator.executors.ray_tune import RayTuneExecutor

shutdown = ray.shutdown


def noted(*arguments, **options):
    print("frozen", gc.get_freeze_count() > 0)
    shutdown(*arguments, **options)


ray.shutdown = noted
executor = RayTuneExecutor(max_concurrent=1)
executor.start()
executor.wait()
executor.close()
print("frozen", gc.get_freeze_count() > 0)
"""


@pytest.mark.slow
@pytest.mark.sample
def test_a_ray_of_our_own_shuts_down_with_its_garbage_kept():
    said = subprocess.run([sys.executable, "-c", SHUTS_DOWN], check=True, capture_output=True, text=True).stdout
    assert said.split("\n")[:2] == ["frozen True", "frozen False"]
