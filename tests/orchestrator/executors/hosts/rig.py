"""A Ray cluster on hosts of `network.py`: the head on host 2, the driver on host 1; nodes are kept up."""

import contextlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

from network import Network, said

HERE = Path(__file__).parent
HEAD = 2
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64, "RAY_USAGE_STATS_ENABLED": "0"}
PLACES = {"HOME": "/tmp", "TMPDIR": "/tmp"}
RAY = [sys.executable, str(Path(sys.executable).with_name("ray"))]

_KEPT_UP = """
import subprocess, sys, time
while True:
    subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL)
    time.sleep(1.0)
"""
"""What systemd, KubeRay or a loop in a batch script does for a node that dies."""


class Rig:
    """Four hosts with a raylet each.

    Args:
        name: two or three letters.
        home: a folder for logs, results and events.
        share: whether the hosts share a folder, where the results are then.
        driver: number of the host of the driver.
    """

    def __init__(self, name, home, *, share, driver=1, sizes=()):
        self.home, self.driver_host, self.share = Path(home), driver, share
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "shared").mkdir(exist_ok=True)
        self.network = Network(name, shared=self.home / "shared" if share else None, sizes=sizes)
        self.processes = []
        self._studies = []
        self.use(1)

    def __enter__(self):
        for number in (HEAD, *(n for n in self.network.hosts if n != HEAD)):
            self.boot(number)
        return self

    def __exit__(self, *raised):
        self.network.close()
        for process in self.processes:
            with contextlib.suppress(OSError):
                process.kill()
            process.wait()

    def use(self, number):
        """Let drivers from now on write events and results of a number."""
        self.events = self.home / f"events{number}.jsonl"
        self.results = f"/tmp/shared/results{number}" if self.share else f"/tmp/results{number}"
        if (self.results, self.events) not in self._studies:
            self._studies.append((self.results, self.events))

    def collect(self):
        """Return (results folder, events) of each number that was used, copied from the driver's host."""
        inside = Path(f"/proc/{self.network.hosts[self.driver_host].first}/root")
        found = []
        for results, events in self._studies:
            target = self.home / "collected" / Path(results).name
            shutil.copytree(f"{inside}{results}", target)
            found.append((target, events))
        return found

    @property
    def head(self):
        return f"{self.network.hosts[HEAD].address}:6379"

    def boot(self, number, environment=()):
        """Start a host and its part of the cluster."""
        host = self.network.hosts[number]
        host.start()
        log = (self.home / f"node{number}.log").open("a")
        ray = [*RAY, "start", "--block", "--node-ip-address", host.address, "--num-cpus=1", "--disable-usage-stats",
               "--object-store-memory=83886080"]  # fmt: skip
        if number == HEAD:
            command = [*ray, "--head", "--port=6379", "--include-dashboard=false"]
        else:
            command = [sys.executable, "-c", _KEPT_UP, *ray, "--address", self.head]
        self.processes.append(host.spawn(command, {**TOKEN, **PLACES, **dict(environment)}, stdout=log, stderr=log))
        if number == HEAD:
            self._wait_for_head(host)

    def _wait_for_head(self, host):
        probe = f"import socket; socket.create_connection(('{host.address}', 6379), 1).close()"
        for _ in range(100):
            if (
                subprocess.run(host.command([sys.executable, "-c", probe]), capture_output=True, check=False).returncode
                == 0
            ):
                return
            time.sleep(0.3)
        raise AssertionError("no head")

    def run(self, seeds, epochs, nap_ms, environment=()):
        """Start the driver; return its Popen."""
        command = [sys.executable, HERE / "driver.py", self.head, self.results, self.events, seeds, epochs, nap_ms]
        clean = {"OMP_NUM_THREADS": "1", **TOKEN, **PLACES, **dict(environment)}
        log = (self.home / "driver.log").open("a")
        process = self.network.hosts[self.driver_host].spawn(command, clean, stdout=log, stderr=log, cwd="/")
        self.processes.append(process)
        return process

    def happened(self):
        """Return the events so far."""
        return said(self.events)

    def wait_for(self, condition, seconds, what="something"):
        """Return the events as soon as `condition(events)` holds."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            events = self.happened()
            if condition(events):
                return events
            time.sleep(0.3)
        raise AssertionError(f"no {what} after {seconds} s; the last events: {self.happened()[-5:]}")
