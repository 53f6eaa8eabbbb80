"""Where numbers come from: digests of code, the commit, versions and the machine; no torch, no ray, no subprocess."""

from __future__ import annotations

import ast
import hashlib
import os
import platform
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

from orchestrator import machine_limits
from orchestrator.private_cache import PrivateCache

__all__ = ["code_digest", "code_files", "file_code_digest", "git_commit", "machine", "versions"]

PACKAGES = ("torch", "numpy", "scikit-learn", "ray", "optuna")
"""Packages whose releases can move numbers, or decide how trials are run."""

ROOT = "trainables"
"""What a method imports under this package is part of its code."""

FOUND_BY_FOLDER = {"trainables.scoring": "trainables.metrics"}
"""Module -> the package whose modules it finds by their folder: who imports the one depends on all of the other."""


def code_digest(method_module: ModuleType) -> str:
    """Return the digest of a method's file and of what it imports under `trainables`, directly or not (20 hex digits).

    The bytes of the files count, comments too: no rule about what "cannot matter" is to be trusted with a cache. The
    place of the files does not count. Computed once per process, so an edit of a file that was already imported does
    not pass for the code that runs.
    """
    path = getattr(method_module, "__file__", None)
    if path is None:
        raise ValueError(f"module {method_module.__name__!r} has no file")
    return _code_digest(path, method_module.__name__)


@cache
def _code_digest(path: str, name: str) -> str:
    return file_code_digest(Path(path), name)


def file_code_digest(own: Path, name: str) -> str:
    """Return the digest that `code_digest` gives of a file's module, as the files are now; nothing is imported.

    Args:
        own: the file.
        name: of the module that it is, or would be.

    Raises:
        OSError: a file cannot be read.
        SyntaxError: one is no Python.
    """
    content = hashlib.blake2b(digest_size=10)
    for key, file in sorted(code_files(own, name).items()):
        code = file.read_bytes()
        content.update(f"{key}:{len(code)}:".encode() + code)
    return content.hexdigest()


def code_files(own: Path, name: str) -> dict[str, Path]:
    """Return the files that `file_code_digest` digests, by the names of their modules; "": the file itself.

    Raises:
        OSError: a file cannot be read.
        SyntaxError: one is no Python.
    """
    root = _root()
    collected: dict[str, Path] = {}
    waiting = [("", own, name)]  # the method's own file counts under no name: a plugin's copy of it is the same code
    while waiting:
        key, file, module = waiting.pop()
        if key in collected:
            continue
        collected[key] = file
        for imported in (
            *_imported(file.read_text(encoding="utf-8"), module, file.name == "__init__.py"),
            *_found_by_folder(root, key),
        ):
            found = _file(root, imported)
            if found is not None and found != own:
                waiting.append((imported, found, imported))
    _remember_imports()
    return collected


def _found_by_folder(root: Path, module: str) -> list[str]:
    """Return the modules of the package that a module lists at run time; nothing of other modules."""
    package = FOUND_BY_FOLDER.get(module)
    if package is None:
        return []
    folder = root.joinpath(*package.split(".")[1:])
    return [package, *(f"{package}.{path.stem}" for path in sorted(folder.glob("[!_]*.py")))]


def _root() -> Path:
    """Return the folder of `trainables`: the one that is loaded, or the one beside this package."""
    loaded = sys.modules.get(ROOT)
    places = list(getattr(loaded, "__path__", ()))
    return Path(places[0]) if places else Path(__file__).resolve().parents[1] / ROOT


def _file(root: Path, name: str) -> Path | None:
    """Return the file of a module under `trainables`; None for names that are no module (classes, functions)."""
    stem = root.joinpath(*name.split(".")[1:])
    package, plain = stem / "__init__.py", stem.with_suffix(".py")
    if stem != root and plain.is_file():
        return plain
    return package if package.is_file() else None


def _imported(source: str, module: str, is_package: bool) -> list[str]:
    """Return what `_imports` yields: remembered by the source, since to parse it takes ten times as long as to read."""
    key = hashlib.blake2b(f"{module} {is_package} {source}".encode(), digest_size=16).hexdigest()
    known = _known_imports()
    if key not in known:
        known[key] = list(dict.fromkeys(_imports(source, module, is_package)))
        _new_imports.add(key)
    return known[key]


_IMPORTS = PrivateCache("imports")
_IMPORTS_KEY = f"1 {sys.version}"
_new_imports: set[str] = set()
MOST_REMEMBERED = 4_000


@cache
def _known_imports() -> dict[str, list[str]]:
    kept = _IMPORTS.read(_IMPORTS_KEY)
    return kept if isinstance(kept, dict) else {}


def _remember_imports() -> None:
    """Keep what was parsed; the oldest goes when it is much."""
    if _new_imports:
        known = _known_imports()
        _IMPORTS.write(_IMPORTS_KEY, dict(list(known.items())[-MOST_REMEMBERED:]))
        _new_imports.clear()


def _imports(source: str, module: str, is_package: bool) -> Iterator[str]:
    """Yield every dotted name under `trainables` that the source may import, with the packages above it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, module, is_package)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == ROOT:
                yield from (".".join(parts[: end + 1]) for end in range(len(parts)))


def _base(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    """Return the absolute name of what `from <base> import ...` names."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    parts = parts[: len(parts) - node.level + is_package]
    return ".".join([*parts, node.module] if node.module else parts)


@cache
def git_commit() -> str:
    """Return the commit of the checkout that this package runs from; empty when installed.

    Read from the files of `.git`, so that no subprocess can hang or be missing. It does not tell whether files were
    edited since: `code_digest` does.
    """
    checkout = Path(__file__).resolve().parents[1]
    return _commit(checkout / ".git") if (checkout / "pyproject.toml").is_file() else ""


def _commit(git: Path) -> str:
    try:
        if git.is_file():  # a worktree: the file names its folder
            git = (git.parent / git.read_text().removeprefix("gitdir:").strip()).resolve()
        head = (git / "HEAD").read_text().strip()
        reference = head.removeprefix("ref: ")
        commit = head if reference == head else _referred(git, reference)
    except (OSError, UnicodeDecodeError):
        return ""
    return commit if re.fullmatch("[0-9a-f]{40,64}", commit) else ""


def _referred(git: Path, reference: str) -> str:
    common = git / "commondir"
    folders = [git, (git / common.read_text().strip()).resolve()] if common.is_file() else [git]
    for folder in folders:
        if (folder / reference).is_file():
            return (folder / reference).read_text().strip()
        if (folder / "packed-refs").is_file():
            for line in (folder / "packed-refs").read_text().splitlines():
                if line.endswith(f" {reference}"):
                    return line.split()[0]
    return ""


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python, of this distribution and of the packages that move numbers; nothing is imported.

    Packages that are not installed are left out.
    """
    from importlib import metadata  # mail and networks come with it

    found = {"python": platform.python_version()}
    for package in ("deep-clustering-orchestrator", *PACKAGES):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def machine() -> dict[str, str | int]:
    """Return this machine's host, system, processor, usable cores, memory in bytes and GPU names (comma-separated)."""
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": machine_limits.cores(),
        "memory_bytes": machine_limits.memory_bytes(),
        "gpus": ", ".join(_gpus()),
    }


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def n_gpus() -> int:
    """Return how many NVIDIA GPUs this machine has, or as many as CUDA_VISIBLE_DEVICES leaves."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    shown = [part for part in (visible or "").split(",") if part.strip() and not part.strip().startswith("-")]
    return len(_gpus()) if visible is None else min(len(shown), len(_gpus()))


def _gpus() -> list[str]:
    """Return the names that NVIDIA's driver gives in /proc; asking torch would load it."""
    names = []
    for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        found = re.search(r"^Model:\s*(.+)$", path.read_text(), re.MULTILINE)
        names.append(found[1] if found else "NVIDIA")
    return names
