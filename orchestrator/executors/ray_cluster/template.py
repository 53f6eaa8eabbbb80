"""The process of which workers are copies: it imports once what each of them needs, and forks for each one.

Ray starts a worker by a command. Here (`template_process`) that command asks the template over a socket, which only
this user may enter, and hands over its streams, arguments, environment and folder; a copy of the template then runs
what the command would have run. So the second and every later worker is there in some hundredths of a second, and all
of them share the memory of what was imported.

Forking is safe as long as there is one thread and no GPU was touched: only this project's own code is imported here,
and a user's in the copies.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import gc
import json
import os
import random
import runpy
import select
import signal
import socket
import sys
import traceback
from dataclasses import dataclass
from typing import Any

__all__ = ["Request", "Template", "main"]

JOB = "RAY_JOB_ID"
"""Ray reads this variable while it is imported, so that all copies have the template's."""

RAYLET = "RAY_RAYLET_PID"
"""The process whose end ends a worker. Read while Ray is imported too: it is the template, which watches the raylet."""

HOOK = "__RAY_WORKER_PROCESS_SETUP_HOOK_ENV_VAR"
"""What a worker would run first: what the template has done."""

TAKEN, REFUSED = b"y", b"n"

DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


def main(listening: int, job: str) -> None:
    """Import, then serve until the driver is gone; in a copy, be the worker that was asked for.

    Args:
        listening: descriptor of the socket at which workers are asked for; who asks early waits.
        job: number of the job that they must be for.
    """
    os.environ.update({JOB: job, RAYLET: str(os.getpid())})
    gc.disable()  # here; a copy collects
    _import()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    request = Template(socket.socket(fileno=listening), job).serve()
    if request is not None:
        request.become()


@dataclass(frozen=True)
class Request:
    """A worker that is asked for."""

    arguments: list[str]
    environment: dict[str, str]
    folder: str
    streams: tuple[int, ...]

    @classmethod
    def received(cls, connection: socket.socket) -> Request:
        """Return what arrives on a connection.

        Raises:
            ValueError: it is no request.
            OSError: the connection broke.
        """
        numbers = array.array("i")
        data, extra, _, _ = connection.recvmsg(1 << 16, socket.CMSG_LEN(3 * numbers.itemsize))
        for _, _, content in extra:
            numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
        while data and not data.endswith(b"\n"):
            more = connection.recv(1 << 16)
            if not more:
                break
            data += more
        arguments, environment, folder = json.loads(data)
        return cls(arguments, environment, folder, tuple(numbers))

    def become(self) -> None:
        """Be the worker: run its program under its name, with its streams, environment and folder."""
        for number, stream in enumerate(self.streams):
            os.dup2(stream, number)
        self.let_go()
        os.environ.clear()
        os.environ.update({name: value for name, value in self.environment.items() if name != HOOK})
        os.environ[RAYLET] = str(os.getppid())
        os.chdir(self.folder)
        gc.enable()
        random.seed()
        sys.modules["numpy"].random.seed()  # else all copies would draw the same
        sys.argv = self.arguments
        runpy.run_path(self.arguments[0], run_name="__main__")

    def let_go(self) -> None:
        """Close the streams."""
        for stream in self.streams:
            if stream > 2:
                os.close(stream)


class Template:
    """Serves requests.

    Args:
        listening: where they come from.
        job: number of the job that they must be for.
        orders: a pipe from the driver, of lines of JSON; when it closes, the driver is gone.
    """

    def __init__(self, listening: socket.socket, job: str, orders: int = 0) -> None:
        self._listening, self._job, self._orders = listening, job, orders
        self._copies: set[int] = set()
        """Descriptors of processes: one that ends between its start and its own `prctl` would not hear of the end."""
        self._raylet: int | None = None
        self._unread = b""

    def serve(self) -> Request | None:
        """Return in a copy with its request; in the template with None, when it has to end, and its copies have."""
        while True:
            watched: list[Any] = [self._listening, self._orders, *self._copies]
            watched += [] if self._raylet is None else [self._raylet]
            ready, _, _ = select.select(watched, [], [])
            if self._raylet in ready or (self._orders in ready and not self._heard_orders()):
                break
            for copy in self._copies.intersection(ready):
                self._copies.discard(copy)
                os.close(copy)
            if self._listening in ready:
                request = self._serve_one()
                if request is not None:
                    return request
        for copy in self._copies:
            signal.pidfd_send_signal(copy, signal.SIGKILL)
        return None

    def _serve_one(self) -> Request | None:
        connection, _ = self._listening.accept()
        with connection:
            try:
                request = Request.received(connection)
            except (OSError, ValueError):
                return None
            if request.environment.get(JOB) != self._job or len(request.streams) != 3:
                connection.sendall(REFUSED)
                request.let_go()
                return None
            self._watch(request.environment.get(RAYLET, ""))
            gc.freeze()  # what is there by now is shared for good: a collection would touch, and so copy, all of it
            number = os.fork()
            if number == 0:
                self._listening.close()
                return self._copied(request)
            with contextlib.suppress(OSError):  # it has ended already
                self._copies.add(os.pidfd_open(number))
            connection.sendall(TAKEN)
            request.let_go()
            return None

    def _copied(self, request: Request) -> Request:
        """Forget, in a copy, what is the template's."""
        for descriptor in self._copies if self._raylet is None else {*self._copies, self._raylet}:
            os.close(descriptor)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL)
        return request

    def _watch(self, raylet: str) -> None:
        if self._raylet is None and raylet.isdigit():
            with contextlib.suppress(OSError):  # it is gone already, and this worker will notice
                self._raylet = os.pidfd_open(int(raylet))

    def _heard_orders(self) -> bool:
        """Take what the driver says; return whether it is there still."""
        data = os.read(self._orders, 1 << 16)
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            try:
                _make_ready(json.loads(line))
            except Exception:  # a worker that needs it will meet the same, and say so
                traceback.print_exc()
        return bool(data)


def _import() -> None:
    """Import what every worker needs."""
    from orchestrator import discovery
    from orchestrator.executors.ray_tune import trainable

    trainable.search_path[:] = sys.path
    discovery.training()


def _make_ready(order: dict[str, Any]) -> None:
    """Import a method, and open a dataset, of this project's own that trials will need."""
    from orchestrator import discovery
    from orchestrator.executors.ray_tune import trainable
    from orchestrator.executors.ray_tune.datasets import OnFirstUse

    discovery.method(order["method"])
    reference, protocol, plugins = order["dataset"]
    trainable.opened(OnFirstUse(order["folder"], reference, protocol, tuple(plugins)))
