"""Hosts on this machine: network namespaces joined by a switch of our own, which cuts, delays and loses on request.

Each host has its address, name, process numbers, /tmp and /dev/shm. The switch reads and writes packets of a TUN device
in each namespace, so that it needs no firewall and no traffic shaper of the kernel: a packet is dropped, or forwarded
now or later. Root only.
"""

import contextlib
import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import signal
import struct
import subprocess
import threading
import time
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_TUNSETIFF, _TUN_WITHOUT_HEAD = 0x400454CA, 0x0001 | 0x1000
_MTU = 60_000
"""Large packets, since each costs the switch some microseconds."""

_INIT = """
import os, signal, subprocess, sys
for target, size in (("/tmp", sys.argv[2]), ("/dev/shm", "600m")):
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=1777", "tmpfs", target], check=True)
for name in sys.argv[3:]:
    os.makedirs("/tmp/shared", exist_ok=True)
    subprocess.run(["mount", "--bind", name, "/tmp/shared"], check=True)
subprocess.run(["hostname", sys.argv[1]], check=True)
print("up", flush=True)
while True:  # the init of this host: it outlives and buries all others, and they die with it
    try:
        os.wait()
    except ChildProcessError:
        signal.sigtimedwait([signal.SIGCHLD], 0.5)
"""


def _run(*command):
    subprocess.run(command, check=True, capture_output=True)


class Host:
    """One machine: `start` boots it, `kill` takes its power away, `freeze` and `thaw` stop and continue all of it."""

    def __init__(self, rig, number, size="2g", shared=None):
        self.name, self.address = f"{rig}{number}", f"10.77.0.{number}"
        self.size, self.shared = size, shared
        self.init, self.spawned = None, []
        _run("ip", "netns", "add", self.name)

    def start(self):
        """Boot: a new process namespace with fresh temporary folders."""
        command = ["ip", "netns", "exec", self.name, "unshare", "--mount", "--uts", "--ipc", "--pid", "--fork",
                   "--mount-proc", "--propagation", "private", "--kill-child", "python3", "-c", _INIT,
                   self.name, self.size, *([str(self.shared)] if self.shared else [])]  # fmt: skip
        self.init = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.init.stdout.readline().strip() == "up"
        (self.first,) = _children(self.init.pid)

    def command(self, command, environment=()):
        """Return the command line that runs a command on this host."""
        assign = [f"{name}={value}" for name, value in dict(environment).items()]
        return ["nsenter", "--target", str(self.first), "--net", "--mount", "--uts", "--ipc", "--pid", "--",
                "env", *assign, *map(str, command)]  # fmt: skip

    def spawn(self, command, environment=(), **options):
        """Run a command on this host; return its Popen (of nsenter, outside)."""
        self.spawned.append(subprocess.Popen(self.command(command, environment), **options))
        return self.spawned[-1]

    def processes(self):
        """Return the numbers, as seen from outside, of all that runs on this host, its first process aside."""
        own = os.readlink(f"/proc/{self.first}/ns/pid")
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and int(entry.name) != self.first and os.readlink(entry / "ns/pid") == own:
                    found.append(int(entry.name))
        return found

    def signal(self, number, name=""):
        """Send a signal to all processes whose command line holds `name`."""
        for pid in self.processes():
            with contextlib.suppress(OSError):
                if name in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "):
                    os.kill(pid, number)

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)
        for outside in self.spawned:  # nsenter stops with what it runs
            if outside.poll() is None:
                outside.send_signal(signal.SIGCONT)

    def kill(self):
        """Take the power away; cut it off first, or its kernel says goodbye for it."""
        if self.init is not None:
            with contextlib.suppress(OSError):
                os.kill(self.first, signal.SIGKILL)
            self.init.wait()
            self.init.stdout.close()
            self.init = None


def _children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Network:
    """The hosts and the switch between them.

    Args:
        rig: two or three letters that begin the names of the namespaces.
        count: how many hosts, numbered from 1.
        shared: a folder that all hosts have as /tmp/shared; None: they share nothing.
        sizes: host number -> size of its /tmp.
    """

    def __init__(self, rig, count=4, shared=None, sizes=()):
        self.hosts = {n: Host(rig, n, dict(sizes).get(n, "2g"), shared) for n in range(1, count + 1)}
        self._devices = {n: self._device(host) for n, host in self.hosts.items()}
        self._cut = set()
        self._delay, self._loss = 0.0, 0.0
        self._draws = random.Random(0)
        self.passed = self.dropped = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._forward, daemon=True)
        self._thread.start()

    def cut(self, *numbers):
        """Cut hosts off from all others, both ways."""
        for number in numbers:
            for other in self.hosts:
                if other not in numbers:
                    self._cut |= {(number, other), (other, number)}

    def cut_one_way(self, source, *targets):
        """Lose what one host sends to others; what they send arrives."""
        self._cut |= {(source, other) for other in targets or self.hosts if other != source}

    def heal(self):
        """Let everything through, at once."""
        self._cut, self._delay, self._loss = set(), 0.0, 0.0

    def weather(self, delay, loss):
        """Delay each packet by so many seconds, and lose a part of them."""
        self._delay, self._loss = delay, loss

    def close(self):
        """Take everything down."""
        for host in self.hosts.values():
            host.kill()
        self._over.set()
        self._thread.join()
        for number, host in self.hosts.items():
            os.close(self._devices[number])
            _run("ip", "netns", "del", host.name)

    def _device(self, host):
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        there = os.open(f"/var/run/netns/{host.name}", os.O_RDONLY)
        try:
            assert _LIBC.setns(there, 0) == 0
            device = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
            fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", b"tun0", _TUN_WITHOUT_HEAD))
        finally:
            assert _LIBC.setns(own, 0) == 0
            os.close(own)
            os.close(there)
        inside = ("ip", "-n", host.name)
        _run(*inside, "addr", "add", f"{host.address}/24", "dev", "tun0")
        _run(*inside, "link", "set", "tun0", "mtu", str(_MTU), "up")
        _run(*inside, "link", "set", "lo", "up")
        return device

    def _forward(self):
        number_of = {device: number for number, device in self._devices.items()}
        by_address = {bytes(map(int, host.address.split("."))): number for number, host in self.hosts.items()}
        later, count = [], 0
        poll = select.poll()
        for device in number_of:
            poll.register(device, select.POLLIN)
        while not self._over.is_set():
            wait = 200.0 if not later else max(0.0, 1e3 * (later[0][0] - time.monotonic()))
            for device, _ in poll.poll(min(wait, 200.0)):
                source = number_of[device]
                with contextlib.suppress(BlockingIOError):
                    packet = os.read(device, 65535)
                    target = by_address.get(packet[16:20])
                    if target is None or (source, target) in self._cut or self._draws.random() < self._loss:
                        self.dropped += 1
                        continue
                    self.passed += 1
                    heapq.heappush(later, (time.monotonic() + self._delay, count, target, packet))
                    count += 1
            while later and later[0][0] <= time.monotonic():
                _, _, target, packet = heapq.heappop(later)
                with contextlib.suppress(OSError):
                    os.write(self._devices[target], packet)


def said(path):
    """Return what a driver wrote into a file of JSON lines, whole lines only."""
    with contextlib.suppress(FileNotFoundError):
        return [json.loads(line) for line in Path(path).read_text().splitlines(keepends=True) if line.endswith("\n")]
    return []
