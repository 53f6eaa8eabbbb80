"""A user's own code on its way to workers elsewhere: plugin folders, and the packages beside them that they import.

Installed packages do not travel: every node has its own. What travels is named by a digest of its content, so that a
worker unpacks it once, and never runs what the driver has changed since.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import io
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from orchestrator.code_files import is_installed
from orchestrator.errors import RequestError

__all__ = ["Shipment", "packed", "unpacked", "user_packages"]

LARGEST_FILE, LARGEST_SHIPMENT = 2**20, 64 * 2**20
"""Bytes of a file that is code or a setting, not data, and of all of them."""

OWN = {"orchestrator", "trainables", "studies", "analysis"}
"""Packages of this project: they travel by themselves."""

_PLUGINS, _PACKAGES = "plugins", "packages"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


class Shipment(NamedTuple):
    """Code as a zip file, and the digest of its content."""

    digest: str
    content: bytes


def packed(plugins: Sequence[str]) -> Shipment:
    """Return plugin folders, and the user's packages that their files import, directly or not.

    Files larger than a mebibyte, hidden ones and what Python compiled stay here.

    Raises:
        RequestError: together they are larger than any code is.
    """
    folders = [Path(plugin) for plugin in plugins]
    entries = [(f"{_PLUGINS}/{place}", path) for place, path in enumerate(folders)]
    entries += [(f"{_PACKAGES}/{path.name}", path) for path in user_packages(folders)]
    target = io.BytesIO()
    digest, size = hashlib.blake2b(digest_size=10), 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, root in entries:
            if root.is_dir():  # an empty one too
                archive.writestr(zipfile.ZipInfo(f"{name}/", _LONG_AGO), b"")
            for path in _files(root):
                inside = f"{name}/{path.relative_to(root)}" if root.is_dir() else name
                code = path.read_bytes()
                size += len(code)
                digest.update(f"{inside}:{len(code)}:".encode() + code)
                archive.writestr(zipfile.ZipInfo(inside, _LONG_AGO), code)
    if size > LARGEST_SHIPMENT:
        raise RequestError(
            f"plugins {', '.join(map(repr, plugins))} and what they import have {size / 2**20:.0f} MiB of files; a "
            f"cluster is sent {LARGEST_SHIPMENT / 2**20:.0f}; name a folder that holds methods/ and the like only"
        )
    return Shipment(digest.hexdigest(), target.getvalue())


def unpacked(shipment: Shipment, base: Path) -> tuple[str, ...]:
    """Unpack a shipment below a folder of this process; return the plugin folders, and make the packages importable."""
    folder = base / f"code-{shipment.digest}"
    with zipfile.ZipFile(io.BytesIO(shipment.content)) as archive:
        archive.extractall(folder)
    packages = str(folder / _PACKAGES)
    if packages not in sys.path:
        sys.path.append(packages)
    return tuple(map(str, sorted((folder / _PLUGINS).glob("*"), key=lambda path: int(path.name))))


def user_packages(folders: Sequence[Path]) -> list[Path]:
    """Return the packages and modules that files below some folders import and that no installation brings."""
    found: dict[str, Path] = {}
    waiting: list[Path] = []
    for folder in folders:
        waiting += _python_files(folder)
    while waiting:
        for name in _imported(waiting.pop()):
            if name in found or name in OWN or name in sys.stdlib_module_names:
                continue
            root = _place(name)
            if root is not None:
                found[name] = root
                waiting += _python_files(root)
    return [found[name] for name in sorted(found)]


def _imported(path: Path) -> Iterator[str]:
    """Yield the first parts of the names that a file imports; nothing if it does not parse."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def _place(name: str) -> Path | None:
    """Return the folder or file of a package that is the user's own; None: installed, compiled, or not there."""
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    if found is None:
        return None
    places = list(found.submodule_search_locations or ())
    path = Path(places[0]) if places else Path(found.origin or "")
    return None if not path.exists() or path.suffix == ".so" or is_installed(path) else path


def _python_files(root: Path) -> list[Path]:
    return [path for path in _files(root) if path.suffix == ".py"]


def _files(root: Path) -> list[Path]:
    """Return what travels of a folder, or a file itself, in a fixed order."""
    if root.is_file():
        return [root]
    found = []
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if not any(part.startswith(".") or part == "__pycache__" for part in parts) and path.is_file():
            found += [path] if path.stat().st_size <= LARGEST_FILE else []
    return found
