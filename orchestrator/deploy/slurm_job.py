"""`python -m orchestrator.deploy.slurm_job STUDY RESULTS ...`: a run in a Slurm job; `slurm.sh` becomes this process.

One step of the job (`ray_node`) keeps Ray on all nodes; `orchestrate run` is a child of this process, outside the step,
so that nothing that ends the step ends the run. Whichever way Slurm asks for the end (to this process, or to the step
alone, as at a preemption with a grace time), the run hears it once, leaves checkpoints, and its status is this one's.
The step ends when its input is closed: by this process, or because it died.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from orchestrator.errors import OrchestratorError, RequestError
from orchestrator.executors.ray_cluster.folders import sweep_leftovers

__all__ = ["END", "Job", "Nodes", "Run", "asked", "main", "study_of", "time_budget"]

NOTHING_LOST = "nothing is lost: submit the same job again to go on"
INTERRUPTED = 130
MARGIN_SECONDS = 180.0
"""Before the job's end, the run stops by itself; a third of what is left if that is less."""
LEAVE_SECONDS = 20.0
"""For a run whose Ray is gone; it leaves within 12 s by itself."""
STEP_SECONDS = 8.0
"""For the step to end after its input did."""
FOREVER_SECONDS = 1e9
ASK_SECONDS = 20.0
"""For an answer of Slurm's controller."""

END = "end"
"""The last line to the step: its end is meant. Without, this process or its node has died."""

STEP = (
    "srun",
    "--ntasks-per-node=1",
    "--no-kill",
    "--kill-on-bad-exit=0",
    "--wait=0",
    "--cpu-bind=none",
    "--export=ALL",
)
"""All nodes, one process each: none ends the others, and a node that fails does not end the step."""


def study_of(names: str, environment: Mapping[str, str]) -> str:
    """Return the study of this job: in a job array, the one of its task among names with commas between.

    Raises:
        RequestError: there are several names without an array, or not as many as tasks.
    """
    studies = names.split(",")
    if "SLURM_ARRAY_TASK_ID" not in environment:
        if len(studies) > 1:
            raise RequestError(
                f"STUDY {names!r}: several studies are allowed in a job array: --array=0-{len(studies) - 1}%1"
            )
        return names
    number = int(environment["SLURM_ARRAY_TASK_ID"])
    if not 0 <= number < len(studies):
        raise RequestError(
            f"job array task {number} has no study: {names!r} names {len(studies)}, allowed is "
            f"--array=0-{len(studies) - 1}%1"
        )
    return studies[number]


def time_budget(left: float) -> float:
    """Return for how many of the seconds that are left the run may train."""
    return left - min(MARGIN_SECONDS, left / 3)


class Job:
    """What Slurm knows of this job.

    Args:
        environment: of the batch script.
        ask: runs a command of Slurm's and returns what it printed; empty where it cannot.
    """

    def __init__(self, environment: Mapping[str, str], ask: Callable[..., str] | None = None) -> None:
        self.number, self._environment = environment.get("SLURM_JOB_ID", ""), environment
        self._ask = ask or asked

    @property
    def in_array(self) -> bool:
        """Whether it is a task of a job array, which share a results folder in turn."""
        return "SLURM_ARRAY_TASK_ID" in self._environment

    def seconds_left(self) -> float | None:
        """Return the time until the job's limit; None: it has none, or Slurm does not say."""
        end = self._environment.get("SLURM_JOB_END_TIME", "")  # Slurm 22.05 does not set it
        if end.isdigit():
            return float(end) - time.time()
        with contextlib.suppress(ValueError):  # N/A: without a limit
            return (
                datetime.fromisoformat(self._ask("squeue", "-h", "-j", self.number, "-o", "%e")).timestamp()
                - time.time()
            )
        return None

    def queue_again(self) -> bool:
        """Put this job back into the queue if it is preempted, and say whether that was done.

        Slurm does so itself only with a job that is killed at the end of its grace time: one that heeds the warning and
        ends by itself counts as failed. A job that may not be requeued (`--no-requeue`) is not.
        """
        known = dict(re.findall(r"(\S+?)=(\S*)", self._ask("scontrol", "show", "job", "-o", self.number)))
        preempted = known.get("PreemptTime", "None") != "None" and known.get("JobState") == "RUNNING"
        if not preempted or known.get("Requeue") != "1":
            return False
        self._ask("scontrol", "requeue", self.number)
        return True


def asked(*command: str) -> str:
    """Return what a command of Slurm's prints; empty if it fails."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(command, capture_output=True, text=True, timeout=ASK_SECONDS, check=True).stdout.strip()
    return ""


class Nodes:
    """Ray on every node of the job, for as long as this object is open.

    Args:
        command: of the step's processes.
        environment: theirs.
        signalled: called with a signal's name when Slurm asks the step to end; in a thread of this object's.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], signalled: Callable[[str], None]
    ) -> None:
        self._command, self._environment, self._signalled = [*STEP, *command], dict(environment), signalled
        self._address, self._failure = "", ""
        self._news = threading.Event()
        self.ended = threading.Event()
        """Set when the step is over, whoever ended it."""
        self._step = subprocess.Popen(
            self._command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        threading.Thread(target=self._listen, name="nodes", daemon=True).start()

    def address(self, stopping: Callable[[], bool]) -> str:
        """Wait for the cluster and return its address; empty: `stopping` came first.

        Raises:
            OrchestratorError: it cannot be had.
        """
        while not self._address and not self._failure and not stopping():
            if self.ended.is_set():
                raise OrchestratorError("Slurm did not start Ray on the nodes: its step ended, see above")
            self._news.wait(0.2)
        if self._failure and not self._address:
            raise OrchestratorError(self._failure)
        return self._address

    def close(self) -> None:
        """End Ray everywhere, and leave no file of it."""
        assert self._step.stdin is not None
        with contextlib.suppress(OSError):
            self._step.stdin.write(f"{END}\n")
            self._step.stdin.close()
        for end in (self._step.terminate, self._step.kill):  # srun that gets SIGTERM has Slurm kill the step
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._step.wait(STEP_SECONDS)
                break
            end()
        if self._step.wait():  # it was killed, and could not tidy up
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                sweep = [*self._command, "--sweep"]
                subprocess.run(sweep, env=self._environment, timeout=STEP_SECONDS, capture_output=True, check=False)

    def _listen(self) -> None:
        assert self._step.stdout is not None
        for line in self._step.stdout:
            with contextlib.suppress(ValueError):  # not ours: what a site's prolog prints
                self._heard(json.loads(line))
                self._news.set()
        self._step.wait()
        self.ended.set()
        self._news.set()

    def _heard(self, message: Any) -> None:
        if "signal" in message:
            self._signalled(message["signal"])
        elif "failed" in message and not self._address and not self._failure:
            self._failure = f"node {message['node']}: {message['failed']}"
        elif "failed" in message:
            _tell(f"node {message['node']} takes no part: {message['failed']}")
        elif message.get("address"):
            self._address = message["address"]
            assert self._step.stdin is not None
            with contextlib.suppress(OSError):
                self._step.stdin.write(f"{self._address}\n")
                self._step.stdin.flush()


class Run:
    """The command, and its end: however often that is asked for, the run is told once."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self.stopping = False

    def stop(self, _: object = None) -> None:
        """Have the run stop in good order; before it has begun, it does not begin."""
        with self._lock:
            told, self.stopping = self.stopping, True
        if not told and self._process is not None:
            self._process.send_signal(signal.SIGTERM)

    def status(self, command: Sequence[str], environment: Mapping[str, str], nodes: Nodes) -> int:
        """Run the command to its end and return its status."""
        if self.stopping:
            return INTERRUPTED
        self._process = subprocess.Popen(list(command), env=dict(environment), stdin=subprocess.DEVNULL)
        if self.stopping:  # meanwhile
            self._process.send_signal(signal.SIGTERM)
        while self._process.poll() is None and not nodes.ended.wait(0.2):
            pass
        if self._process.poll() is None:
            _tell(f"Ray has ended on all nodes; {NOTHING_LOST}")
            self.stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(LEAVE_SECONDS)
        self._process.kill()
        status = self._process.wait()
        return status if status >= 0 else 128 - status


def _tell(text: str) -> None:
    with contextlib.suppress(OSError):
        print(f"orchestrate: {text}", file=sys.stderr, flush=True)


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of Ray and of the run: a secret of this job's own, and no other cluster."""
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    # Since Slurm 22.05 a step no longer takes this from the job.
    cpus = {"SRUN_CPUS_PER_TASK": environment["SLURM_CPUS_PER_TASK"]} if "SLURM_CPUS_PER_TASK" in environment else {}
    return {name: value for name, value in environment.items() if name != "RAY_ADDRESS"} | cpus | token


def _command(study: str, results: str, address: str, job: Job, more: Sequence[str]) -> list[str]:
    left = job.seconds_left()
    budget = [] if left is None else ["--time-budget", f"{max(1.0, time_budget(left)):.0f}"]
    patience = ["--wait", f"{max(1.0, left or FOREVER_SECONDS):.0f}"] if job.in_array else []
    python = [sys.executable, "-P", "-m", "orchestrator"]
    return [*python, "run", study, "--address", address, "--results", results, *budget, *patience, *more]


def _run_in_job(arguments: Sequence[str]) -> int:
    if len(arguments) < 2:
        raise RequestError(
            "sbatch slurm.sh STUDY RESULTS: a study, and a results folder that all nodes share, are missing"
        )
    names, results, *more = arguments
    study, job, run = study_of(names, os.environ), Job(os.environ), Run()
    environment = _environment(os.environ)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: run.stop())
    verbose = ["--verbose"] if "--verbose" in more else []
    nodes = Nodes([sys.executable, "-P", "-m", "orchestrator.deploy.ray_node", *verbose], environment, run.stop)
    try:
        address = nodes.address(lambda: run.stopping)
        if not address:
            _tell(f"interrupted; {NOTHING_LOST}")
            return INTERRUPTED
        status = run.status(_command(study, results, address, job, more), environment, nodes)
    finally:
        nodes.close()
        sweep_leftovers()  # of a run that was killed
    if status == INTERRUPTED and job.queue_again():
        _tell("preempted: the job waits in the queue again, and goes on by itself")
    return status


def main() -> None:
    """Run the study in this job and exit with its status."""
    try:
        status = _run_in_job(sys.argv[1:])
    except RequestError as error:
        _tell(str(error))
        status = 2
    except OrchestratorError as error:
        _tell(str(error))
        status = 1
    sys.exit(status)


if __name__ == "__main__":
    main()
