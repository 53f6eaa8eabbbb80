"""The files of a declared method on their way to workers elsewhere: what it runs, what that imports, what it reads.

A worker that sees the same files where the driver does runs them there. Else it unpacks what came along into a folder
of its own, in which every file has the place that it has on the driver's machine, seen from where its line runs.
"""

from __future__ import annotations

import io
import posixpath
import tarfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from orchestrator.executors.user_code import Shipment
from orchestrator.own.declared import Declared, declaration_of
from orchestrator.trial import BundleTask

__all__ = ["are_here", "moved", "of_task", "shipped", "unpacked", "with_declared"]

LARGEST = 512 * 2**20
"""Bytes of a file, or of a folder of data, that travels. Larger data lie where every host sees them."""

NAMED = "_files"
"""Folder of the files that a place in the line stands for: wherever they lie, they are found by that place."""


def of_task(task: BundleTask) -> Declared | None:
    """Return the declaration of a task's method, if it has files; None: nothing has to travel."""
    own = declaration_of(task.bundle.specs[0].method)
    return own if own is not None and (own.code or own.data) else None


def shipped(own: Declared) -> Shipment:
    """Return the files of a method as a tar file, and what tells them from others; large data stay where they are.

    Raises:
        OSError: one cannot be read.
    """
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for inside, (_, _, path) in _entries(own).items():
            if _size(path) <= LARGEST:
                archive.add(path.resolve(), inside)
    return Shipment(_key(own), target.getvalue())


def are_here(own: Declared, digest: str) -> bool:
    """Return whether this process sees the files that the driver does, by their content."""
    with suppress(OSError):
        return _key(own) == digest
    return False


def unpacked(shipment: Shipment, base: Path) -> Path:
    """Unpack the files of a method below a folder of this process, and return where."""
    root = base / f"method-{shipment.digest}"
    with tarfile.open(fileobj=io.BytesIO(shipment.content)) as archive:
        archive.extractall(root, filter="data")
    return root


def moved(own: Declared, root: Path) -> Declared:
    """Return a method as it runs where its files were unpacked."""
    places: dict[str, dict[str, str]] = {"code": {}, "data": {}}
    for inside, (kind, label, path) in _entries(own).items():
        there = root / inside
        places[kind][label] = str(there if there.exists() else path)
    folder = root / _depth(own)
    folder.mkdir(parents=True, exist_ok=True)
    return replace(own, folder=str(folder), code=places["code"], data=places["data"])


def with_declared(task: BundleTask, own: Declared) -> BundleTask:
    """Return a task whose trials have a declaration in place of their own."""
    specs = tuple(replace(spec, method=own.named) for spec in task.bundle.specs)
    return replace(task, bundle=replace(task.bundle, specs=specs))


def _key(own: Declared) -> str:
    return f"{own.code_digest()}{own.identity}"


def _entries(own: Declared) -> dict[str, tuple[str, str, Path]]:
    """Return its place in a shipment -> is a file of a method code or data, by which label, where it is here."""
    depth, named = _depth(own), own.asks.get("files", {})
    found = {}
    for label, path in own.code.items():
        found[posixpath.normpath(f"{depth}/{label}")] = ("code", label, Path(path))
    for label, path in own.data.items():
        inside = f"{NAMED}/{label}/{Path(path).name}" if label in named else posixpath.normpath(f"{depth}/{label}")
        found[inside] = ("data", label, Path(path))
    return found


def _depth(own: Declared) -> str:
    """Return the folder, inside the shipment, where the line runs: so deep that `..` stays within."""
    named = own.asks.get("files", {})
    labels = [*own.code, *(label for label in own.data if label not in named)]
    upwards = max((label.split("/").count("..") for label in labels), default=0)
    return "/".join(["in"] * (upwards + 1))


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
