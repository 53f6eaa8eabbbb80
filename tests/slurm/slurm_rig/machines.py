"""Machines of a small cluster on this one: each a set of Linux namespaces with its own address, name, /tmp, processes.

Needs root, and nothing of the host is changed: network, mounts and processes are the machines' own, and end with them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

__all__ = ["Machine", "Machines"]

NETWORK = "10.77.0"
SWITCH = f"{NETWORK}.254"
NAMESPACES = ("--net", "--uts", "--ipc", "--mount", "--pid")
PATIENCE = 20.0

INIT = """
set -e
name=$1 folder=$2 root=$3
shift 3
hostname "$name"
mount --bind "$folder/$name/tmp" /tmp
ip link set lo up
for group in "$folder/$name"/cgroup/*; do
    [ ! -e "$group" ] || mount --bind "$group" "/sys/fs/cgroup/$(basename "$group")"
done
if [ -n "$root" ]; then  # another release: its programs, and of this machine what the tests need
    for place in /dev /proc /sys /tmp "$@"; do
        mkdir -p "$root$place"
        mount --rbind "$place" "$root$place"
    done
fi
[ -e "$root/etc/hosts" ] || touch "$root/etc/hosts"
mount --bind "$folder/hosts" "$root/etc/hosts"
touch "$folder/$name/up"
exec chroot "$root/" bash -c 'while :; do sleep 3600 & wait; done'  # buries, as first process, what lost its parent
"""


class Machine:
    """One machine: processes started in it see it alone.

    Args:
        name: its host name.
        address: its address on the switch.
        folder: of the rig, which all machines share.
        root: the root folder of another release of Linux; empty: this machine's.
    """

    def __init__(self, name: str, address: str, folder: Path, root: str = "") -> None:
        self.name, self.address, self.folder = name, address, folder
        (folder / name / "tmp").mkdir(parents=True, mode=0o1777)
        (folder / name / "tmp").chmod(0o1777)
        self._groups = _own_groups(folder, name)
        log = (folder / f"{name}.log").open("ab")
        self._unshare = subprocess.Popen(
            [
                *("unshare", *NAMESPACES, "--fork", "--kill-child=KILL", "--mount-proc"),
                *("bash", "-c", INIT, "init", name, folder, root, *_needed(folder)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )  # fmt: skip
        log.close()
        try:
            _wait_until((folder / name / "up").exists, f"machine {name} is up")
        except TimeoutError as error:
            raise RuntimeError(f"{error}: {(folder / f'{name}.log').read_text()}") from None
        self.pid = psutil.Process(self._unshare.pid).children()[0].pid
        """Of its first process."""

    def enter(self, command: Sequence[str | Path]) -> list[str]:
        """Return the command that runs another one in this machine."""
        spaces = [*NAMESPACES, "--root", "--wd"]
        return ["nsenter", "-t", str(self.pid), *spaces, *map(str, command)]

    def run(self, *command: str | Path, env: Mapping[str, str] | None = None, seconds: float = 60.0) -> str:
        """Run a command here to its end and return what it printed.

        Raises:
            RuntimeError: it failed.
        """
        done = subprocess.run(
            self.enter(command), capture_output=True, text=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL,
            env=None if env is None else dict(env),
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{command} on {self.name}: exit {done.returncode}: {done.stderr or done.stdout}")
        return done.stdout

    def spawn(self, *command: str | Path, env: Mapping[str, str] | None = None, log: Path) -> subprocess.Popen[bytes]:
        """Start a command here that goes on."""
        with log.open("ab") as out:
            return subprocess.Popen(
                self.enter(command), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=None if env is None else dict(env), start_new_session=True,
            )  # fmt: skip

    def processes(self) -> list[psutil.Process]:
        """Return what runs in this machine, its first process and its idle child left out."""
        try:
            own = os.stat(f"/proc/{self.pid}/ns/pid").st_ino
        except FileNotFoundError:  # powered off
            return []
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(OSError, psutil.Error):
                there = os.stat(f"/proc/{process.pid}/ns/pid").st_ino == own
                if there and process.pid != self.pid and process.name() != "sleep":
                    found.append(process)
        return found

    @property
    def is_up(self) -> bool:
        """Whether it was not powered off."""
        return self._unshare.poll() is None

    def power_off(self) -> None:
        """End all of it at once, as a machine does that loses its power."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)  # the kernel ends every process of its namespace
        self._unshare.wait(timeout=PATIENCE)

    def remove(self) -> None:
        """Power off, and remove its control groups."""
        self.power_off()
        for group in self._groups:
            for inner in sorted(group.rglob("*"), reverse=True):
                if inner.is_dir():
                    with contextlib.suppress(OSError):
                        inner.rmdir()
            for place in (group, group.parent):
                with contextlib.suppress(OSError):
                    place.rmdir()


class Machines:
    """A switch with machines on it.

    Args:
        names: of the machines; the first holds the switch.
        root: as of `Machine`.
    """

    def __init__(self, names: Sequence[str], root: str = "") -> None:
        self._root = root
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-rig-", dir="/var/tmp"))
        self.folder.chmod(0o755)
        addresses = {name: SWITCH if n == 0 else f"{NETWORK}.{n}" for n, name in enumerate(names)}
        lines = "".join(f"{address} {name}\n" for name, address in addresses.items())
        (self.folder / "hosts").write_text(f"127.0.0.1 localhost\n{lines}")
        self.machines: dict[str, Machine] = {}
        try:
            for name, address in addresses.items():
                self.machines[name] = Machine(name, address, self.folder, self._root)
                self._connect(name)
        except BaseException:
            self.close()
            raise

    @property
    def switch(self) -> Machine:
        """The machine that holds the switch."""
        return next(iter(self.machines.values()))

    def again(self, name: str) -> Machine:
        """Return a new machine in the place of one that was powered off."""
        old = self.machines[name]
        old.remove()
        (self.folder / name / "up").unlink()
        shutil.rmtree(self.folder / name / "tmp")
        shutil.rmtree(self.folder / name / "cgroup", ignore_errors=True)
        self.machines[name] = Machine(name, old.address, self.folder, self._root)
        self._connect(name)
        return self.machines[name]

    def close(self) -> None:
        """End all machines and remove their files."""
        for machine in self.machines.values():
            machine.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _connect(self, name: str) -> None:
        switch, machine = self.switch, self.machines[name]
        if machine is switch:
            switch.run("ip", "link", "add", "switch", "type", "bridge")
            switch.run("ip", "address", "add", f"{SWITCH}/24", "dev", "switch")
            switch.run("ip", "link", "set", "switch", "up")
            return
        link = ["ip", "link", "add", f"to-{name}", "master", "switch", "type", "veth", "peer", "name", "eth0"]
        inside = ["nsenter", "-t", str(switch.pid), "--net"]  # and no more: the other end is named by a number outside
        subprocess.run([*inside, *link, "netns", str(machine.pid)], check=True)
        switch.run("ip", "link", "set", f"to-{name}", "up")
        machine.run("ip", "address", "add", f"{machine.address}/24", "dev", "eth0")
        machine.run("ip", "link", "set", "eth0", "up")


def _needed(folder: Path) -> list[str]:
    """Return the top folders of what runs in the machines: the rig, this checkout, Python and its packages."""
    places = [folder, Path(__file__), Path(sys.prefix), Path(sys.base_prefix), Path(psutil.__file__)]
    return sorted({str(Path("/", *place.resolve().parts[1 : 3 if place.parts[1] == "var" else 2])) for place in places})


def _own_groups(folder: Path, name: str) -> list[Path]:
    """Return control groups (version 1) for one machine; none where the host has no freezer of that version."""
    root = Path("/sys/fs/cgroup/freezer")
    if not (root / "tasks").exists():
        return []
    group = root / folder.name / name
    group.mkdir(parents=True, exist_ok=True)
    (folder / name / "cgroup").mkdir(exist_ok=True)
    (folder / name / "cgroup" / "freezer").symlink_to(group)
    return [group]


def _wait_until(holds: object, what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)
