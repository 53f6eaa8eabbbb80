"""Resumable state of an unfinished bundle as one safetensors file: no pickle, whole or absent, checked when read.

The file's name has the fence of the handing out that wrote it (see `BundleTask.fence`) and the host. A worker that
lives on after its bundle was handed out again finds a later fence, and writes and deletes nothing any more.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from orchestrator.errors import DataError
from orchestrator.trial import FENCE_MARK
from trainables.method import State

__all__ = [
    "Checkpoint",
    "SupersededError",
    "files",
    "flattened",
    "nested",
    "read",
    "remove",
    "state_file",
    "write",
]

STEM, SUFFIX = "state", ".safetensors"
FORMAT = 1
_ROWS, _STATE, _EMPTY = "rows", "state/", "/"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a bundle needs to go on.

    Attributes:
        state: nested state of the method that was training (its living members only).
        rows: Arrow IPC stream of every row so far.
        progress: JSON object that only `trainables.training.loop` reads.
    """

    state: State
    rows: bytes
    progress: Mapping[str, Any]


class SupersededError(Exception):
    """The bundle was handed out again; this worker's training of it counts no more."""


def state_file(fence: str) -> str:
    """Return the name of the file that this host writes under a fence."""
    host = re.sub(r"[^A-Za-z0-9_-]", "-", platform.node())[:64]
    return f"{STEM}.{fence or '0'}.{host or 'host'}{SUFFIX}"


def files(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, that of the latest fence first; more than one only for a moment."""
    found = [path for path in folder.glob(f"{STEM}*{SUFFIX}") if path.is_file()]
    return sorted(found, key=lambda path: (_fence_of(path), path.name), reverse=True)


def _fence_of(path: Path) -> str:
    """Return the fence in a file's name; empty for one from before there were fences."""
    parts = path.name.split(".")
    return parts[1] if len(parts) == 4 else ""


def write(folder: Path, checkpoint: Checkpoint, fence: str = "") -> None:
    """Write `checkpoint` into `folder`; a crash at any moment leaves the older one or the new one, never half.

    Raises:
        SupersededError: a later handing out of the bundle has been here.
    """
    _check_fence(folder, fence)
    tensors = {_STATE + path: leaf for path, leaf in flattened(checkpoint.state)}
    tensors[_ROWS] = torch.frombuffer(bytearray(checkpoint.rows or b"\0"), dtype=torch.uint8)
    head = {
        "format": str(FORMAT),
        "progress": json.dumps(checkpoint.progress),
        "n_row_bytes": str(len(checkpoint.rows)),
        "digest": _digest(tensors),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / state_file(fence)
    temporary = folder / f".{path.name}.{os.getpid()}"
    with temporary.open("wb") as file:
        file.write(to_bytes(tensors, head))
        file.flush()
        os.fsync(file.fileno())
    _check_fence(folder, fence)  # writing may have taken minutes
    temporary.replace(path)
    _sync_folder(folder)
    for other in files(folder):
        if other != path and _fence_of(other) <= (fence or "0"):
            other.unlink(missing_ok=True)


def _check_fence(folder: Path, fence: str) -> None:
    marks = [path.name.removeprefix(FENCE_MARK) for path in folder.glob(f"{FENCE_MARK}*")]
    later = max([*marks, *map(_fence_of, files(folder))], default="")
    if later > (fence or "0"):
        raise SupersededError(
            f"checkpoints in {str(folder)!r} are written under fence {later}; this worker has {fence}"
        )


def read(folder: Path) -> Checkpoint | None:
    """Return the checkpoint of the latest fence in `folder` that can be used, or None when there is none.

    Raises:
        DataError: there are some, and none can be used: cut short, altered, of another format; the line names one.
    """
    first: DataError | None = None
    for path in files(folder):
        try:
            return _read(path)
        except DataError as error:
            first = first or error
    if first is not None:
        raise first
    return None


def _read(path: Path) -> Checkpoint:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            head = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dict
        if head["format"] != str(FORMAT):
            raise DataError(f"checkpoint {str(path)!r} has format {head['format']}; this program reads {FORMAT}")
        if head["digest"] != _digest(tensors):
            raise DataError(f"checkpoint {str(path)!r} is damaged: its content does not match its digest")
        rows = tensors.pop(_ROWS).numpy().tobytes()[: int(head["n_row_bytes"])]
        progress = json.loads(head["progress"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise DataError(f"checkpoint {str(path)!r} is unreadable: {type(error).__name__}: {error}") from error
    state = nested({name.removeprefix(_STATE): leaf for name, leaf in tensors.items()})
    return Checkpoint(state=state, rows=rows, progress=progress)


def remove(folder: Path, fence: str = "") -> None:
    """Delete the checkpoint folder of a bundle that is done; none there is fine, and a later fence's stays."""
    with contextlib.suppress(SupersededError):
        _check_fence(folder, fence)
        shutil.rmtree(folder, ignore_errors=True)


def flattened(state: State, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield (path joined by '/', tensor) of each leaf; an empty dictionary leaves a mark, its path ending in '/'.

    Raises:
        TypeError: a leaf is no tensor, or a name holds a '/'.
    """
    for name, part in state.items():
        if "/" in name:
            raise TypeError(f"state name {prefix + name!r} holds a '/'")
        if isinstance(part, dict):
            if part:
                yield from flattened(part, f"{prefix}{name}/")
            else:
                yield f"{prefix}{name}{_EMPTY}", torch.zeros(0)
        elif isinstance(part, Tensor):
            yield prefix + name, part.detach().cpu().clone(memory_format=torch.contiguous_format)
        else:
            raise TypeError(f"state {prefix + name!r} is {type(part).__name__}, not a tensor or a dictionary")


def nested(leaves: Mapping[str, Tensor]) -> State:
    """Return the nested state whose leaves `flattened` yields."""
    state: State = {}
    for path, leaf in leaves.items():
        *folders, name = path.split("/")
        place = state
        for folder in folders:
            place = place.setdefault(folder, {})
        if name:
            place[name] = leaf
    return state


def _digest(tensors: Mapping[str, Tensor]) -> str:
    content = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        leaf = tensors[name]
        content.update(f"{name}{tuple(leaf.shape)}{leaf.dtype}".encode())
        content.update(leaf.reshape(-1).view(torch.uint8).numpy().data if leaf.numel() else b"")
    return content.hexdigest()


def _sync_folder(folder: Path) -> None:
    """Make the rename durable; not every file system lets a folder be opened, and then rename has to do."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
