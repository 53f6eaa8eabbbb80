"""Real signals to real drivers: how they end, and that nothing stays behind."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

DRIVER = Path(__file__).with_name("process_driver.py")
PATIENCE = 240.0
"""Seconds until a driver on a busy machine trains."""


class Driver:
    def __init__(self, home, **environment):
        self.home = home
        environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(DRIVER.parents[3]), **environment}
        self.process = subprocess.Popen(
            [sys.executable, str(DRIVER)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=(home / "stderr").open("w"),
            text=True,
            start_new_session=True,
        )
        first = self.process.stdout.readline().split()
        assert first[:1] == ["training"], (home / "stderr").read_text()
        self.family = [int(pid) for pid in first[1:]]

    def left_after(self, seconds):
        """Return which of the driver's processes still run after at most so many seconds."""
        deadline = time.monotonic() + seconds
        while (left := [pid for pid in self.family if _runs(pid)]) and time.monotonic() < deadline:
            time.sleep(0.2)
        return left

    def folders(self):
        return [name for name in os.listdir("/tmp") if name.startswith(f"orchestrate-ray-{self.process.pid}-")]


def _runs(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def driver(tmp_path):
    made = Driver(tmp_path)
    yield made
    for pid in (made.process.pid, *made.family):
        if _runs(pid):
            os.kill(pid, signal.SIGKILL)
    made.process.wait()
    made.process.stdout.close()


@pytest.mark.sample
@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "to_group"),
    [(signal.SIGTERM, False), (signal.SIGINT, True)],
    ids=["SIGTERM to the driver", "Ctrl-C to the whole group"],
)
def test_a_signal_ends_the_run_in_good_order_and_leaves_nothing(driver, number, to_group):
    before = set(os.listdir("/tmp/ray")) if os.path.isdir("/tmp/ray") else set()
    began = time.monotonic()
    (os.killpg if to_group else os.kill)(driver.process.pid, number)
    rest, _ = driver.process.communicate(timeout=60)
    assert driver.process.returncode == 0
    assert time.monotonic() - began < 15
    assert rest.split() == ["interrupted", "2", "open", "0", "left", "0"]
    assert driver.left_after(1) == []
    assert driver.folders() == []
    assert (set(os.listdir("/tmp/ray")) if os.path.isdir("/tmp/ray") else set()) == before
    assert (driver.home / "stderr").read_text() == ""
    assert [path.name for path in driver.home.iterdir()] == ["stderr"]


@pytest.mark.slow
def test_a_job_s_scratch_folder_with_a_long_name_holds_rays_sockets(tmp_path):
    with tempfile.TemporaryDirectory(prefix="scratch-of-a-job-", dir="/tmp") as scratch:
        made = Driver(tmp_path, TMPDIR=scratch)
        sockets = list(Path(scratch).rglob("s/sockets/raylet"))
        made.process.terminate()
        made.process.communicate(timeout=60)
        assert len(scratch) > 24 and len(sockets) == 1
        assert os.listdir(scratch) == []
        assert (tmp_path / "stderr").read_text() == ""


@pytest.mark.slow
def test_sigterm_to_the_whole_group_is_a_stop_too(driver):
    began = time.monotonic()
    os.killpg(driver.process.pid, signal.SIGTERM)
    rest, _ = driver.process.communicate(timeout=60)
    assert driver.process.returncode == 0
    assert time.monotonic() - began < 15
    assert rest.split()[2:] == ["open", "0", "left", "0"]
    assert driver.left_after(1) == []


@pytest.mark.slow
def test_a_killed_driver_takes_its_ray_along(driver):
    trainers = [pid for pid in driver.family if "Agent" not in " ".join(psutil.Process(pid).cmdline())]
    os.kill(driver.process.pid, signal.SIGKILL)
    driver.process.wait()
    driver.left_after(15)
    assert [pid for pid in trainers if _runs(pid)] == []
    assert driver.left_after(180) == []  # Ray's agents look for their raylet for a minute or two


@pytest.mark.slow
def test_a_killed_group_leaves_nothing_that_runs(driver):
    os.killpg(driver.process.pid, signal.SIGKILL)
    driver.process.wait()
    assert driver.left_after(15) == []


@pytest.mark.slow
@pytest.mark.parametrize(("name", "ends"), [("raylet", 20), ("gcs_server", 90)])
def test_the_death_of_ray_itself_ends_the_run_with_one_line(driver, name, ends):
    (victim,) = [pid for pid in driver.family if _runs(pid) and psutil.Process(pid).name() == name]
    os.kill(victim, signal.SIGKILL)
    driver.process.wait(timeout=ends)
    assert driver.process.returncode != 0
    assert f"Ray's {name} (process {victim}) died" in (driver.home / "stderr").read_text()
    assert driver.left_after(15) == []
