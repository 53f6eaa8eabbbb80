"""The driver's side of the template (`template`): starts it, has Ray start workers by it, and ends it."""

from __future__ import annotations

import array
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from orchestrator.discovery import DatasetKey

__all__ = ["FIRST_JOB", "TemplateProcess", "is_possible", "run_alone"]

FIRST_JOB = "01000000"
"""The number that Ray gives the first job of a cluster, as its processes are told it."""

PROGRAM = """
import sys
sys.path[:] = {path!r}
from orchestrator.executors.ray_cluster.template import main
main({listening}, {job!r})
"""

STARTER = '''
"""What Ray runs to start a worker: it has the template copied, or else runs what Ray would have run."""
import array, json, os, socket, sys

here = os.path.dirname(os.path.abspath(__file__))
arguments = sys.argv[1:]
context = [one.partition("=")[2] for one in arguments if one.startswith("--serialized-runtime-env-context=")]
plain = [one for one in arguments if not one.startswith(("--serialized-runtime-env-context=", "--language="))]
if all(one in ("", "{}") for one in context) and "--language=PYTHON" in arguments:
    try:
        asking = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        asking.connect(os.path.join(here, "socket"))
        request = json.dumps([plain, dict(os.environ), os.getcwd()]).encode() + b"\\n"
        sent = asking.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
        if sent < len(request):
            asking.sendall(request[sent:])
        if asking.recv(1) == b"y":
            os._exit(0)
    except OSError:
        pass
os.execv(sys.executable, [sys.executable, SETUP, *arguments])
'''


def is_possible() -> bool:
    """Return whether workers can be copies here: Linux tells of processes by descriptors, and ends them in time."""
    return sys.platform == "linux"


def run_alone(program: str, argument: str) -> None:
    """Run a program as `TemplateProcess.run` does, in a process that imports by itself."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
    nothing = subprocess.DEVNULL
    command = [sys.executable, "-c", program, argument]
    subprocess.run(command, env=environment, stdin=nothing, stdout=nothing, stderr=nothing, check=False)


class TemplateProcess:
    """A template that starts, in a folder that nobody else may enter.

    Args:
        folder: for its socket and the program that Ray runs instead of its own; made here.
        environment: of the template and so, but for what Ray adds, of workers.
        path: where modules are found.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], path: Sequence[str]) -> None:
        self.folder, self._environment = folder, dict(environment)
        folder.mkdir(mode=0o700)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening, (folder / "log").open("wb") as log:
            listening.bind(str(folder / "socket"))
            listening.listen(64)
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl-C is the driver's affair
            program = PROGRAM.format(path=list(path), listening=listening.fileno(), job=FIRST_JOB)
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", program, str(folder)],  # the folder says to whom it belongs
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[listening.fileno()],
            )
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def starter(self, setup: str) -> Path:
        """Write the program that Ray shall run to start a worker, and return its place.

        Args:
            setup: the program that Ray runs by itself.
        """
        place = self.folder / "starter.py"
        place.write_text(STARTER.replace("SETUP", repr(setup)))
        return place

    def expect(self, method: str, dataset: DatasetKey, folder: Path) -> None:
        """Say what workers will need: a method and a dataset of the project's own, and where its files shall lie."""
        order = {"method": method, "dataset": dataset, "folder": str(folder)}
        stream = self.process.stdin
        assert stream is not None
        try:
            stream.write(json.dumps(order).encode() + b"\n")
            stream.flush()
        except OSError:  # it has ended: workers start without it
            return

    def run(self, program: str, argument: str, meanwhile: Callable[[], None]) -> None:
        """Have a copy run a program; return when the copy has ended, however it did.

        Args:
            program: Python, which finds what the template has imported.
            argument: of the program.
            meanwhile: called once, while the template imports and the program runs.
        """
        place = self.folder / "program.py"
        place.write_text(program)
        environment = {**self._environment, "RAY_JOB_ID": FIRST_JOB}
        request = json.dumps([[str(place), argument], environment, os.getcwd()]).encode() + b"\n"
        reading, writing = os.pipe()  # the copy holds its other end: that it closes is all that is to be known
        with open(reading, "rb") as ending, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            with open(writing, "wb") as held, open(os.devnull, "r+b") as nothing:
                streams = array.array("i", [nothing.fileno(), held.fileno(), nothing.fileno()])
                try:
                    asking.connect(str(self.folder / "socket"))
                    sent = asking.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
                    asking.sendall(request[sent:])
                except OSError:  # it has ended: nothing will run
                    return
            meanwhile()
            ending.read()

    def close(self) -> None:
        """End it, and every worker that it started; safe to call twice."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.kill()
            self.process.stdin.close()
            self.process.wait()
