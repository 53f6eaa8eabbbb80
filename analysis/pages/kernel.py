"""A kernel that runs this very Python and waits, its imports done, until a notebook is to be executed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["WaitingKernel", "manager_of"]

WAITING = """
import sys
from orchestrator.machine import collection
collection.seldom()
import ipykernel.kernelapp
import analysis.pages.report
analysis.pages.report.preload(searches="searches" in sys.argv)
connection = sys.stdin.readline().strip()
if connection:
    sys.argv = ["ipykernel_launcher", "-f", connection]
    ipykernel.kernelapp.launch_new_instance()
"""
"""What the process runs: the end of standard input (whoever started it has ended) ends it too."""


class WaitingKernel:
    """A process that becomes a kernel when it is told where its sockets are.

    It keeps its sockets, history, configuration and log in a private temporary folder, so that nothing is left under
    the user's home, and imports what this process imports.

    Args:
        searches: whether it shall be ready for studies with searches.
    """

    def __init__(self, *, searches: bool = False) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="notebook-")
        self.private = Path(self._folder.name)
        self.log = self.private / "kernel.log"
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "IPYTHONDIR": str(self.private),
            "JUPYTER_CONFIG_DIR": str(self.private),
            "JUPYTER_RUNTIME_DIR": str(self.private),
            "JPY_PARENT_PID": str(os.getpid()),
            "MPLBACKEND": "agg",
            "OMP_NUM_THREADS": "1",
        }
        with self.log.open("w") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-c", WAITING, *(["searches"] if searches else [])],
                env=environment,
                cwd=self.private,
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                bufsize=0,  # so that closing a broken pipe has nothing to write
            )

    def begin(self, connection_file: str) -> None:
        """Have the process be a kernel with these sockets; it may have ended already, which shows later."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{connection_file}\n".encode())
        except BrokenPipeError:
            return

    def close(self) -> None:
        """End the process and remove its folder; safe to call twice."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self._folder.cleanup()

    def __enter__(self) -> WaitingKernel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def manager_of(kernel: WaitingKernel) -> type[Any]:
    """Return the class of a Jupyter kernel manager that starts no process, but takes this one.

    The kernel talks over sockets in its private folder, not over a network port, and runs this Python, whatever
    kernels the machine knows by name.
    """
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    class ThisPython(AsyncKernelManager):
        kernel_spec = KernelSpec(argv=["{connection_file}"], display_name="Python 3", language="python")

        async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
            local: Any = self.provisioner
            local.process, local.pid, local.pgid = kernel.process, kernel.process.pid, kernel.process.pid
            local.cwd = kernel.private
            kernel.begin(self.connection_file)
            self._reconcile_connection_info(local.connection_info)

    return ThisPython
