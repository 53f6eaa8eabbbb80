"""The lean Ray of one machine: what does not run, and what its workers inherit."""

import importlib
import os
import sys
from pathlib import Path

import psutil
import pytest

from orchestrator.executors.ray_tune import private_api, trainable


def test_only_what_one_machine_needs_runs(ray_executor, source_of, bundles):
    ray_executor.run(source_of(bundles(1)))
    commands = [" ".join(process.cmdline()) for process in psutil.Process().children(recursive=True)]
    ray_own = [command for command in commands if ray_executor._cluster.folder in command]
    assert any("gcs_server" in command for command in ray_own)
    assert not [c for c in ray_own for name in ("monitor.py", "dashboard.py") if name in c.split(" --")[0]]


def test_workers_have_their_environment_and_the_driver_keeps_its_own(ray_executor, source_of, bundles):
    ray_executor.run(source_of(bundles(1)))
    workers = [p for p in psutil.Process().children(recursive=True) if p.name().startswith("ray::Trainable")]
    assert workers
    for worker in workers:
        environment = worker.environ()
        assert environment["MALLOC_TRIM_THRESHOLD_"] == "8000000000"
        assert environment["OMP_NUM_THREADS"] == "1"
        assert worker.parent().name() == "raylet"  # not an agent's child: no runtime environment was made for it
    assert private_api.HOOK_VARIABLE not in os.environ and "MALLOC_TRIM_THRESHOLD_" not in os.environ


def test_the_hook_gives_a_worker_the_search_path_of_the_driver(tmp_path, monkeypatch):
    environment = private_api.write_hook(tmp_path / "hook", [*sys.path, "/of/the/driver"])
    name = environment[private_api.HOOK_VARIABLE].removesuffix(".run")
    monkeypatch.setattr(trainable, "search_path", [])
    monkeypatch.setattr(sys, "path", [environment["PYTHONPATH"].split(os.pathsep)[0], *sys.path])
    hook = importlib.import_module(name)
    hook.run()
    assert sys.path[-1] == trainable.search_path[-1] == "/of/the/driver"
    assert "trainables.training.loop" in sys.modules and "sklearn" in sys.modules


def test_what_is_set_for_others_is_taken_back_whatever_happens(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("NEW_ONE", raising=False)
    with pytest.raises(ValueError, match="oh"), private_api.inherited({"OMP_NUM_THREADS": "1", "NEW_ONE": "x"}):
        assert (os.environ["OMP_NUM_THREADS"], os.environ["NEW_ONE"]) == ("1", "x")
        raise ValueError("oh")
    assert os.environ["OMP_NUM_THREADS"] == "3" and "NEW_ONE" not in os.environ


def test_two_hooks_have_different_names(tmp_path):
    names = {private_api.write_hook(tmp_path / str(n), [])[private_api.HOOK_VARIABLE] for n in range(3)}
    assert len(names) == 3 and all(list(Path(tmp_path).rglob(f"{name.removesuffix('.run')}.py")) for name in names)


def test_a_ray_with_logs_and_what_was_replaced_are_as_ray_has_them():
    from ray._private import node, parameter
    from ray.tune.execution import class_cache

    known = parameter.RayParams, node.Node.start_api_server, class_cache.DEFAULT_ENV_VARS
    with private_api.lean_node(with_logs=True), private_api.inherited_actors():
        assert parameter.RayParams().include_log_monitor and parameter.RayParams().no_monitor
        assert class_cache.DEFAULT_ENV_VARS == {}
    with private_api.lean_node(with_logs=False):
        assert not parameter.RayParams().include_log_monitor
    assert known == (parameter.RayParams, node.Node.start_api_server, class_cache.DEFAULT_ENV_VARS)
