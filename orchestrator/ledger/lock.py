"""One driver a results folder: an flock on `lock`, inside it who holds it, and signs of life on its modification time.

On one machine the kernel decides: its lock ends with the process that holds it. A folder that machines share needs
more. Some file systems keep an flock to the machine that took it, so that a driver elsewhere gets the lock too; others
keep it for a machine that is gone. So the holder touches the file every few seconds. Who finds the claim of another
machine waits until it has been silent for long enough, and refuses if it is not. And who has lost the folder while it
was silent (a machine that slept, a network that was away) writes no more: `require` reads whose claim stands there.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import platform
import secrets
import shlex
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestrator.errors import LedgerLockedError
from orchestrator.ledger import plain_files
from orchestrator.ledger.files import os_errors

__all__ = ["FolderLock", "announcement_of", "holder_of"]

BEAT_SECONDS = 5.0
"""Between two signs of life."""

SILENT_SECONDS = 30.0
"""Without a sign of life for so long, a driver on another machine counts as gone."""

LOOK_SECONDS = 0.5

FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""A link is not followed, and a pipe in the file's place is not waited for."""

MOST_BYTES = 2**16
"""Of a lock file: a claim has some hundred."""

_LOG = logging.getLogger(__name__)


class FolderLock:
    """Holds a results folder for this process.

    The file stays when the lock is given back, with no claim in it, so that no two drivers lock two different files of
    one name. A forked child gives its copy of the descriptor back at once: a child that outlives a killed driver must
    not keep the folder.

    Args:
        folder: the results folder.
        take_over: whether to put a new file in the place of one whose lock a silent machine keeps.
        patience: for how many seconds `take` waits for a driver that holds the folder.
    """

    def __init__(self, folder: Path, *, take_over: bool = False, patience: float = 0.0) -> None:
        self._path = folder / "lock"
        self._folder = folder
        self._take_over, self._patience = take_over, patience
        self._descriptor: int | None = None
        self._claim = b""
        self._writing = threading.Lock()
        self._released = threading.Event()

    def take(self) -> None:
        """Take the lock; waits for its holder as long as asked for, and `SILENT_SECONDS` where that was elsewhere.

        Raises:
            LedgerLockedError: another process holds it; the text says which, and the way on.
            LedgerError: the file cannot be opened.
        """
        deadline, told = time.monotonic() + self._patience, False
        while True:
            try:
                return self._take_now()
            except LedgerLockedError as error:
                if time.monotonic() > deadline:
                    raise
                if not told:
                    _LOG.warning("%s; waiting for it", str(error).partition(" (")[0])
                told = True
            time.sleep(LOOK_SECONDS)

    def _take_now(self) -> None:
        with os_errors(f"results folder {str(self._folder)!r} cannot be locked"):
            while self._descriptor is None:
                plain_files.inside(self._folder, "lock")
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | FLAGS, 0o644)
                try:
                    plain_files.require_file(descriptor, self._path)
                    self._descriptor = self._taken(descriptor)
                finally:
                    if self._descriptor != descriptor:
                        os.close(descriptor)
        os.register_at_fork(after_in_child=self.forget)
        threading.Thread(target=self._beat, name="lock", daemon=True).start()

    def require(self) -> None:
        """Check that this process still holds the folder.

        Raises:
            LedgerLockedError: another driver has taken it, since this one gave no sign of life.
        """
        content = _content(self._path)
        if content != self._claim:
            raise LedgerLockedError(
                f"results folder {str(self._folder)!r} was taken over by {_holder(content)}, while this driver gave no "
                "sign of life; it writes no more, and nothing complete is lost"
            )

    def announce(self, facts: Mapping[str, Any]) -> None:
        """Say more of this driver to whoever asks who holds the folder (`announcement_of`): a line or two of JSON."""
        self.require()
        if self._descriptor is not None:
            self._write_claim(self._descriptor, {**_parsed(self._claim), **facts})

    def release(self) -> None:
        """Let go; safe to call twice."""
        if self._descriptor is not None and _content(self._path) == self._claim:
            with contextlib.suppress(OSError):  # a claim that stays makes the next driver wait, or names a dead one
                os.ftruncate(self._descriptor, 0)
        self.forget()

    def forget(self) -> None:
        """Close the file and leave the claim in it, as the end of the process would."""
        self._released.set()
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _taken(self, descriptor: int) -> int | None:
        """Return the descriptor that holds the lock now; None: the file was replaced meanwhile, look again."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._replaced(descriptor)
        if not _is_named(descriptor, self._path):
            return None
        self._wait_for_silence(descriptor)
        if not _is_named(descriptor, self._path):
            return None
        self._write_claim(descriptor, _claim())
        return descriptor

    def _wait_for_silence(self, descriptor: int) -> None:
        """Return when whoever claims the folder from another machine is surely gone."""
        content = os.pread(descriptor, 4096, 0)
        if not _is_elsewhere(content):
            return
        beat, began = os.fstat(descriptor).st_mtime_ns, time.monotonic()
        left = SILENT_SECONDS - max(0.0, self._silence(descriptor))
        if left > 0:
            _LOG.warning(
                "results folder %r was last used by %s; waiting %.0f s to be sure that it is gone",
                str(self._folder), _holder(content), left,
            )  # fmt: skip
        while time.monotonic() - began < left:
            time.sleep(min(LOOK_SECONDS, left))
            plain_files.read(self._path, 4096)  # opened again: a network file system looks at the server then
            if os.stat(self._path, follow_symlinks=False).st_mtime_ns != beat:
                raise self._in_use(content)

    def _replaced(self, descriptor: int) -> int:
        """Return the descriptor of a new lock file, in the place of one that a silent machine keeps locked."""
        content = os.pread(descriptor, 4096, 0)
        silence = self._silence(descriptor)
        if not _is_elsewhere(content) or silence < SILENT_SECONDS:
            raise self._in_use(content)
        if not self._take_over:
            raise LedgerLockedError(
                f"results folder {str(self._folder)!r} is held by {_holder(content)}, silent for {silence:.0f} s; if "
                "that machine is gone, go on with: orchestrate run ... --take-over"
            )
        new, name = tempfile.mkstemp(prefix=".lock-", dir=self._folder)
        try:
            fcntl.flock(new, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._write_claim(new, _claim())
            os.fchmod(new, 0o644)
            os.replace(name, self._path)
        except BaseException:
            os.close(new)
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        return new

    def _write_claim(self, descriptor: int, claim: Mapping[str, Any]) -> None:
        with self._writing:
            self._claim = json.dumps(claim).encode()
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, self._claim, 0)
            os.fsync(descriptor)  # other machines shall see it

    def _silence(self, descriptor: int) -> float:
        """Return the seconds since the last sign of life, by the clock of the file system."""
        with tempfile.TemporaryFile(dir=self._folder) as now:
            return os.fstat(now.fileno()).st_mtime - os.fstat(descriptor).st_mtime

    def _in_use(self, content: bytes) -> LedgerLockedError:
        return LedgerLockedError(
            f"results folder {str(self._folder)!r} is in use by {_holder(content)}; "
            "wait for it (--wait SECONDS), end it, or name another folder with --results"
        )

    def _beat(self) -> None:
        while not self._released.wait(BEAT_SECONDS):
            with self._writing, contextlib.suppress(OSError):  # a network that is away: `require` sees what came of it
                if _content(self._path) != self._claim:
                    return
                os.utime(self._path)


def holder_of(folder: Path) -> str:
    """Return who holds a results folder now, in words; empty: nobody. Looking never blocks a driver for long."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDONLY | FLAGS)
    except OSError:
        return ""
    try:
        if plain_files.kind_of(folder / "lock") != "a file":
            return ""
        content = os.pread(descriptor, 4096, 0)
        silence = time.time() - os.fstat(descriptor).st_mtime
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        gone = _is_elsewhere(content) and silence > SILENT_SECONDS
        return _holder(content) + (f", silent for {silence:.0f} s" if gone else "")
    finally:
        os.close(descriptor)
    return _holder(content) if _is_elsewhere(content) and silence < SILENT_SECONDS else ""


def announcement_of(folder: Path) -> Mapping[str, Any]:
    """Return what the driver that holds a results folder says of itself; empty: nobody holds it, or it says nothing.

    Beside pid, host, started_at and command that is what it announced. Whoever may write to the folder may have
    written this: nothing of it is checked.
    """
    try:
        return _parsed(_content(folder / "lock")) if holder_of(folder) else {}
    except OSError:
        return {}


def _claim() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "host": platform.node(),
        "started_at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": shlex.join([_program(), *sys.argv[1:]])[:500],
        "token": secrets.token_hex(8),
    }


def _program() -> str:
    name = Path(sys.argv[0]).name
    return "orchestrate" if name == "__main__.py" else name


def _content(path: Path) -> bytes:
    """Return whose claim stands in a lock file, as it is on the server now; empty: nobody's, or no file."""
    try:
        return plain_files.read(path, MOST_BYTES)[:4096]
    except FileNotFoundError:
        return b""


def _is_named(descriptor: int, path: Path) -> bool:
    """Return whether an open file is the one that has this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _parsed(content: bytes) -> Mapping[str, Any]:
    try:
        claim = plain_files.parsed(content)
    except ValueError:
        return {}
    return claim if isinstance(claim, dict) else {}


def _is_elsewhere(content: bytes) -> bool:
    """Return whether a claim is another machine's."""
    host = _parsed(content).get("host", platform.node())
    return isinstance(host, str) and host != platform.node()


def _holder(content: bytes) -> str:
    claim = _parsed(content)
    if not claim.keys() >= {"pid", "host", "started_at", "command"}:
        return "another process (it has not yet said which)"
    dashboard = f", Ray dashboard: {claim['dashboard']}" if claim.get("dashboard") else ""
    said = f"process {claim['pid']} on {claim['host']} since {claim['started_at']} ({claim['command']}){dashboard}"
    return plain_files.one_line(said)
