"""`python -m orchestrator.deploy.ray_node`: Ray on one node of a job, for as long as this process's input stays open.

One runs on each node, started by `slurm_job`. The first node starts a cluster and prints its address; the others read
it from their input and join; the last line of the input says that the end is meant. What is printed are messages to
`slurm_job`, a JSON object a line:

    {"node": "n1", "address": "10.0.0.1:40123"}       the first node's Ray runs
    {"node": "n2", "address": ""}                     another node has joined
    {"node": "n2", "failed": "why"}                   it has not, or its Ray ended by itself
    {"node": "n1", "signal": "SIGTERM"}               Slurm has asked this step to end

A batch system signals every process of a step, so SIGTERM is blocked here and in all that Ray starts: Ray must outlive
the run, which needs its workers to leave checkpoints. It ends when the input does, with whatever it started.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from orchestrator.deploy.slurm_job import END, asked
from orchestrator.executors.ray_cluster import node
from orchestrator.executors.ray_cluster.environment import DRIVER_ENVIRONMENT
from orchestrator.executors.ray_cluster.folders import PrivateFolder, sweep_leftovers

__all__ = ["RayNode", "main", "say"]

HEARD = {signal.SIGTERM, signal.SIGHUP, signal.SIGINT}
START_SECONDS = 180.0
"""Until Ray runs: its packages may lie on a slow shared file system."""
TRIES = 2
JOIN_SECONDS = 10.0
"""Between two attempts to join."""
TICK_SECONDS = 0.2


def say(**message: str) -> None:
    """Print a message to `slurm_job`."""
    with contextlib.suppress(OSError):  # nobody reads any more: the input will have ended too
        print(json.dumps({"node": os.environ.get("SLURMD_NODENAME", socket.gethostname()), **message}), flush=True)


class RayNode:
    """Ray's processes on this machine.

    Args:
        address: of the cluster to join; empty: start one.
        cpus: of this machine that the job has; 0: all.
        verbose: whether what workers print shall reach the driver.
    """

    def __init__(self, address: str, cpus: int, *, verbose: bool) -> None:
        self._folder = PrivateFolder()
        self._path = Path(self._folder.path)
        where = [f"--address={address}"] if address else ["--head", "--port=0", "--include-dashboard=false"]
        options = [*where, f"--node-ip-address={own_address(address)}", *([f"--num-cpus={cpus}"] if cpus else [])]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                node.command(self._path, options, verbose=verbose),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
            )

    @property
    def _log(self) -> Path:
        return self._path / "start.log"

    @property
    def address(self) -> str:
        """Of the cluster; empty until this machine is in it."""
        return node.address(self._path)

    @property
    def runs(self) -> bool:
        """Whether Ray's processes are starting or run."""
        return self._process.poll() is None

    def last_words(self) -> str:
        """Return the last line that Ray's start left."""
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1][:300] if lines else "it left no word"

    def end(self) -> None:
        """Kill every process and remove every file."""
        end_descendants()
        self._process.wait()
        self._folder.remove()
        sweep_leftovers()  # folders of the workers, which were killed


def own_address(other: str) -> str:
    """Return this machine's address as another one sees it.

    Args:
        other: HOST:PORT there; empty: the address from which Slurm started this step, which is this machine's own.
    """
    launched_from = os.environ.get("SLURM_LAUNCH_NODE_IPADDR", "")
    if not other and launched_from:
        return launched_from
    host, _, port = other.rpartition(":")
    return _route_to(host or socket.gethostname(), int(port or 9))


def _route_to(host: str, port: int) -> str:
    """Return the address of the interface from which a host is reached; nothing is sent."""
    family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as probe:
        probe.connect(place)
        return str(probe.getsockname()[0])


def end_descendants() -> None:
    """Kill all processes below this one, orphans too, which Linux hands to it (see `main`)."""
    me = psutil.Process()
    while children := me.children(recursive=True):
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.kill()
        psutil.wait_procs(children, timeout=1.0)
        with contextlib.suppress(ChildProcessError):  # buries orphans; Ray's first process is left to `subprocess`
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def queue_again_without_first_node() -> bool:
    """Put the job back into the queue if its first node is down, with all that could go on; return whether it was.

    Slurm does so only with a job that dies with each of its nodes (without `--no-kill`). One that does not would stay,
    as running, on its other nodes until its time limit, though its script is gone. A node that is lost closes no
    connection, so this is asked when Ray misses it, a minute later.
    """
    names = asked("scontrol", "show", "hostnames", os.environ["SLURM_STEP_NODELIST"]).split()
    if not names or "State=DOWN" not in asked("scontrol", "show", "node", "-o", names[0]):
        return False
    number = os.environ["SLURM_JOB_ID"]
    if "JobState=RUNNING" in asked("scontrol", "show", "job", "-o", number):
        asked("scontrol", "requeue", number)
    return True


def _environment() -> dict[str, str]:
    foreign = ("RAY_ADDRESS", "RAY_TMPDIR")  # of a cluster that the user's shell knows
    return {name: value for name, value in os.environ.items() if name not in foreign} | dict(DRIVER_ENVIRONMENT)


class _Input:
    """Lines from `slurm_job`, read in a thread; the end of them is the end of this process."""

    def __init__(self) -> None:
        self.address, self.meant, self.ended = "", False, threading.Event()
        threading.Thread(target=self._read, name="input", daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            for line in sys.stdin:
                if line.strip() == END:
                    self.meant = True
                else:
                    self.address = line.strip()
        self.ended.set()

    def wait(self) -> None:
        """Return at its end."""
        while not self.ended.is_set():
            _pass_signals_on()


def _pass_signals_on() -> None:
    # Not by sigtimedwait: of a process that was suspended for longer than its limit, CPython 3.11 returns nonsense.
    for number in signal.sigpending() & HEARD:
        signal.sigwait({number})
        say(signal=signal.Signals(number).name)
    time.sleep(TICK_SECONDS)


def _started(address: str, given: _Input, arguments: argparse.Namespace) -> RayNode | None:
    """Return Ray on this machine as soon as it runs; None: the input ended meanwhile, or it could not be had."""
    words = ""
    for _ in range(TRIES):
        ray, deadline = RayNode(address, arguments.cpus, verbose=arguments.verbose), time.monotonic() + START_SECONDS
        while ray.runs and not ray.address and not given.ended.is_set() and time.monotonic() < deadline:
            _pass_signals_on()
        if ray.runs and ray.address and not given.ended.is_set():
            return ray
        words = ray.last_words() if not ray.runs else f"not within {START_SECONDS:.0f} s: {ray.last_words()}"
        ray.end()
        if given.ended.is_set():
            return None
    say(failed=f"Ray did not start: {words}")
    return None


def _start_cluster(given: _Input, arguments: argparse.Namespace) -> None:
    """Have the first node's Ray, which is the cluster's, until the input ends or Ray does."""
    ray = _started("", given, arguments)
    if ray is not None:
        say(address=ray.address)
        _stay(ray, given)
    given.wait()


def _join_cluster(given: _Input, arguments: argparse.Namespace) -> None:
    """Join the cluster, and again whenever Ray ends here, as it does after a minute without its head."""
    while not (given.address or given.ended.is_set()):
        _pass_signals_on()
    while not given.ended.is_set():
        ray = _started(given.address, given, arguments)
        if ray is not None:
            say(address="")
            _stay(ray, given)
        if not given.meant and queue_again_without_first_node():
            return  # nobody is left to end the input
        given.ended.wait(JOIN_SECONDS)
    given.wait()


def _stay(ray: RayNode, given: _Input) -> None:
    """Return when the input or Ray has ended; then nothing of Ray is left."""
    while ray.runs and not given.ended.is_set():
        _pass_signals_on()
    if not ray.runs:
        say(failed=f"Ray ended by itself: {ray.last_words()}")
    ray.end()


def main() -> None:
    """Serve until the input ends."""
    parser = argparse.ArgumentParser(prog="ray_node", description=__doc__)
    parser.add_argument("--cpus", type=int, default=int(os.environ.get("SLURM_CPUS_ON_NODE", "0")))
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--sweep", action="store_true", help="only remove what a killed one left")
    arguments = parser.parse_args()
    if arguments.sweep:
        sweep_leftovers()
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    node.adopt_orphans()
    sweep_leftovers()
    given = _Input()
    if os.environ.get("SLURM_NODEID", "0") == "0":
        _start_cluster(given, arguments)
    else:
        _join_cluster(given, arguments)


if __name__ == "__main__":
    main()
