"""A real Slurm on machines that are namespaces: munged, slurmctld, and a slurmd a node, all with files of their own."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
from slurm_rig.machines import Machine, Machines

__all__ = ["CONTROLLER", "Slurm"]

ROOT = Path(__file__).parents[3]
CONTROLLER = "ctl"
PATIENCE = 60.0

CONFIG = """
ClusterName=rig
SlurmctldHost={controller}
AuthInfo=socket={folder}/munge/socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/{controller}/state
SlurmctldPidFile={folder}/{controller}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdSpoolDir={folder}/%n/spool
SlurmdPidFile={folder}/%n/slurmd.pid
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdDebug=debug
SlurmctldDebug=debug
ProctrackType=proctrack/{proctrack}
TaskPlugin=task/affinity
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SlurmdTimeout=20
SlurmctldTimeout=300
ReturnToService=2
MpiDefault=none
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=sched_interval=5,bf_interval=5
NodeName={nodes} CPUs={cpus} State=UNKNOWN
PartitionName=low Nodes=ALL Default=YES MaxTime=600 PriorityTier=1 PreemptMode=REQUEUE GraceTime=60
PartitionName=cancelled Nodes=ALL MaxTime=600 PriorityTier=1 PreemptMode=CANCEL GraceTime=60
PartitionName=high Nodes=ALL MaxTime=600 PriorityTier=10 PreemptMode=OFF
PartitionName=shared Nodes=ALL MaxTime=600 PriorityTier=1 PreemptMode=OFF OverSubscribe=FORCE:4
"""

CGROUP_CONFIG = """
CgroupPlugin=cgroup/v1
CgroupAutomount=no
CgroupMountpoint=/sys/fs/cgroup
"""


class Slurm:
    """A cluster of n1, n2, ...; everything ends with `close`.

    Args:
        n_nodes: how many.
        proctrack: how Slurm knows a job's processes: cgroup, linuxproc or pgid.
        cpus: that each node says it has.
        root: the root folder of another release of Linux, whose Slurm runs; empty: this machine's.
    """

    def __init__(self, n_nodes: int = 3, proctrack: str = "cgroup", cpus: int = 2, root: str = "") -> None:
        self.names = [f"n{number}" for number in range(1, n_nodes + 1)]
        self.machines = Machines([CONTROLLER, *self.names], root)
        self.folder = self.machines.folder
        try:
            self._configure(proctrack, cpus)
            self._start()
        except BaseException:
            self.close()
            raise

    @property
    def environment(self) -> dict[str, str]:
        """Of Slurm's commands, and of the jobs that they submit."""
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        own = {"SLURM_CONF": str(self.folder / "slurm.conf"), "HOME": str(self.folder), "PYTHONPATH": str(ROOT)}
        return {"PATH": path, "LANG": "C.UTF-8", **own}

    def command(self, *command: str | Path, seconds: float = PATIENCE) -> str:
        """Run a command of Slurm's on the controller."""
        return self.machines.switch.run(*command, env=self.environment, seconds=seconds)

    def submit(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> str:
        """Submit a job by sbatch and return its number."""
        said = self.machines.switch.run("sbatch", "--parsable", *arguments, env={**self.environment, **(env or {})})
        return said.strip().split(";")[0]

    def job(self, number: str) -> dict[str, str]:
        """Return what `scontrol show job` says of a job."""
        text = self.command("scontrol", "show", "job", "-o", number)
        return dict(re.findall(r"(\S+?)=(\S*)", text))

    def wait(self, number: str, *states: str, seconds: float = PATIENCE) -> dict[str, str]:
        """Return what is known of a job as soon as it is in one of the states."""
        deadline = time.monotonic() + seconds
        while (found := self.job(number))["JobState"] not in states:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"job {number}: {found['JobState']} ({found['Reason']}) after {seconds:.0f} s, not {states}"
                )
            time.sleep(0.3)
        return found

    def machine(self, name: str) -> Machine:
        """Return a node."""
        return self.machines.machines[name]

    def processes(self) -> list[psutil.Process]:
        """Return every process on the nodes but for Slurm's own (slurmd, slurmstepd)."""
        found = [process for name in self.names for process in self.machine(name).processes()]
        return [process for process in found if not _is_slurms(process)]

    def processes_of(self, number: str) -> list[psutil.Process]:
        """Return every process on the nodes but for Slurm's own and those that Slurm knows as another job's."""
        return [process for process in self.processes() if _job_of(process) in ("", number)]

    def clear(self) -> None:
        """Cancel every job, and put nodes up again that were powered off; returns when all are idle."""
        self.command("scancel", "--full", "--user=root")
        for name in self.names:
            if not self.machine(name).is_up:
                self.machines.again(name)
                self._start_node(name)
        _wait_for(lambda: self._idle() == len(self.names), "the nodes are idle", 90)

    def close(self) -> None:
        """End all of it."""
        self.machines.close()

    def _configure(self, proctrack: str, cpus: int) -> None:
        folder = self.folder
        (folder / CONTROLLER / "state").mkdir()
        (folder / "munge").mkdir(mode=0o755)
        key = folder / "munge" / "key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))
        nodes = "\nNodeName=".join(
            f"{n} NodeAddr={self.machine(n).address} CPUs={cpus} State=UNKNOWN" for n in self.names
        )
        text = CONFIG.replace("{nodes} CPUs={cpus} State=UNKNOWN", nodes)
        controller = f"{CONTROLLER}({self.machines.switch.address})"
        text = text.replace("SlurmctldHost={controller}", f"SlurmctldHost={controller}")
        text = text.format(folder=folder, controller=CONTROLLER, proctrack=proctrack)
        (folder / "slurm.conf").write_text(text)
        (folder / "cgroup.conf").write_text(CGROUP_CONFIG)

    def _start(self) -> None:
        munge, switch = self.folder / "munge", self.machines.switch
        files = [f"--{kind}-file={munge / kind}" for kind in ("key", "pid", "log", "seed")]
        switch.spawn("munged", "--foreground", "--force", f"--socket={munge / 'socket'}", *files, log=munge / "out")
        _wait_for((munge / "socket").exists, "munged")
        switch.spawn("slurmctld", "-D", "-c", env=self.environment, log=self.folder / "slurmctld.out")
        for name in self.names:
            self._start_node(name)
        _wait_for(lambda: self._idle() == len(self.names), "the nodes are idle")

    def _start_node(self, name: str) -> None:
        (self.folder / name / "spool").mkdir(exist_ok=True)
        self.machine(name).spawn(
            "slurmd", "-D", "-N", name, env=self.environment, log=self.folder / f"slurmd-{name}.out"
        )

    def _idle(self) -> int:
        with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):
            return self.command("sinfo", "-h", "-N", "-p", "low", "-o", "%T").split().count("idle")
        return 0


def _job_of(process: psutil.Process) -> str:
    """Return the number of the job whose control group a process is in; empty: none's, or it has ended."""
    with contextlib.suppress(OSError):
        found = re.search(r"freezer:\S*/job_(\d+)/", Path(f"/proc/{process.pid}/cgroup").read_text())
        return found[1] if found else ""
    return ""


def _is_slurms(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.name().startswith("slurm") or process.status() == psutil.STATUS_ZOMBIE
    return True


def _wait_for(holds: object, what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.2)
