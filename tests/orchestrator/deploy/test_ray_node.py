"""Ray on one node: it outlives the signals of a batch system, and nothing of it outlives its input."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from orchestrator.deploy import ray_node
from orchestrator.deploy.ray_node import own_address


def test_the_first_node_has_the_address_from_which_slurm_started_the_step(monkeypatch):
    monkeypatch.setenv("SLURM_LAUNCH_NODE_IPADDR", "10.1.2.3")
    assert own_address("") == "10.1.2.3"


def test_another_node_has_the_address_from_which_it_reaches_the_first(monkeypatch):
    monkeypatch.setenv("SLURM_LAUNCH_NODE_IPADDR", "10.1.2.3")
    assert own_address("127.0.0.1:6379") == "127.0.0.1"


@pytest.mark.parametrize(
    ("node", "job", "down", "again"),
    [
        ("State=DOWN*", "JobState=RUNNING", True, True),
        ("State=ALLOCATED*", "JobState=RUNNING", False, False),  # it may answer again
        ("State=DOWN*", "JobState=PENDING", True, False),  # another node was faster
    ],
)
def test_a_job_whose_first_node_is_down_is_queued_again(monkeypatch, node, job, down, again):
    questions = []

    def answer(*command):
        questions.append(command)
        return {"hostnames": "n1\nn2", "job": job, "node": node}.get(command[2], "")

    monkeypatch.setattr(ray_node, "asked", answer)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_STEP_NODELIST", "n[1-2]")
    assert ray_node.queue_again_without_first_node() is down
    assert (("scontrol", "requeue", "7") in questions) is again


class Node:
    """A process as Slurm starts it on the first node."""

    def __init__(self, folder: Path) -> None:
        environment = {
            **os.environ, "TMPDIR": str(folder), "SLURM_LAUNCH_NODE_IPADDR": "127.0.0.1", "SLURMD_NODENAME": "n1",
            "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64, "SLURM_CPUS_ON_NODE": "1",
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator.deploy.ray_node"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True,
        )  # fmt: skip
        self.message = self.heard()
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    def heard(self) -> dict[str, str]:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def left(self, seconds: float) -> list[psutil.Process]:
        """Return what still runs after so many seconds."""
        deadline = time.monotonic() + seconds
        while (left := [p for p in self.family if _runs(p)]) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


@pytest.fixture
def node(tmp_path_factory):
    folder = Path(os.environ.get("TMPDIR", "/tmp"), f"n{os.getpid()}")  # short: Ray's sockets lie in it
    folder.mkdir(mode=0o700)
    made = Node(folder)
    yield made
    made.process.kill()
    for process in made.left(0):
        process.kill()
    for place in sorted(folder.rglob("*"), reverse=True):
        place.rmdir() if place.is_dir() and not place.is_symlink() else place.unlink()
    folder.rmdir()


@pytest.mark.slow
@pytest.mark.sample
def test_ray_hears_no_signal_and_ends_with_its_input(node):
    host, _, port = node.message["address"].partition(":")
    socket.create_connection((host, int(port)), timeout=5).close()
    assert len(node.family) >= 4, "ray start, control store, raylet, agents"
    for process in [psutil.Process(node.process.pid), *node.family]:
        process.send_signal(signal.SIGTERM)  # as `scancel` does to a step
    assert node.heard() == {"node": "n1", "signal": "SIGTERM"}
    time.sleep(2)
    assert [process for process in node.family if not _runs(process)] == []
    node.process.stdin.close()
    assert node.process.wait(20) == 0
    assert node.left(0) == []
    assert not [place for place in Path(os.environ.get("TMPDIR", "/tmp"), f"n{os.getpid()}").iterdir()]


@pytest.mark.slow
@pytest.mark.sample
def test_ray_dies_with_the_process_that_keeps_it(node):
    node.process.kill()
    assert node.left(15) == []


@pytest.mark.slow
def test_a_ray_that_dies_is_told_and_leaves_nothing(node):
    (raylet,) = [process for process in node.family if process.name() == "raylet"]
    raylet.kill()
    assert "Ray ended by itself" in node.heard()["failed"]
    assert node.left(10) == []
    node.process.stdin.close()
    assert node.process.wait(20) == 0
