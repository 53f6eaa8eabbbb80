"""Where numbers come from: digests of code, the commit, versions and the machine; no torch, no ray, no subprocess."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from orchestrator.code_files import Code, code_of
from orchestrator.errors import RequestError
from orchestrator.machine import limits

__all__ = ["code_digest", "commit_of", "digest_of_loaded", "file_code_digest", "git_commit", "machine", "versions"]

PACKAGES = ("torch", "numpy", "scikit-learn", "ray", "optuna")
"""Packages whose releases can move numbers, or decide how trials are run."""


def code_digest(method_module: ModuleType) -> str:
    """Return the digest of a method's file and of what it imports that no installed package brings (20 hex digits).

    That is the project's `trainables` and all of the user's own code (`orchestrator.code_files`). The bytes of the
    files count, comments too: no rule about what "cannot matter" is to be trusted with a cache. The place of the files
    does not count. Computed once per process, so an edit of a file that was already imported does not pass for the code
    that runs.

    Raises:
        RequestError: another file of the name of an imported one is loaded already.
    """
    path = getattr(method_module, "__file__", None)
    if path is None:
        raise ValueError(f"module {method_module.__name__!r} has no file")
    return digest_of_loaded(path, method_module.__name__)


@cache
def digest_of_loaded(path: str, name: str) -> str:
    """Return `code_digest` of the module of a file; kept for the life of the process."""
    code = code_of(Path(path), name)
    for key, file in code.files.items():
        loaded = getattr(sys.modules.get(key), "__file__", None)
        if key and loaded and Path(loaded).resolve() != file.resolve():
            raise RequestError(
                f"{path!r} imports {key!r} from {str(file)!r}, but {loaded!r} is loaded under that name; rename one"
            )
    return _digest_of(code)


def file_code_digest(own: Path, name: str) -> str:
    """Return the digest that `code_digest` gives of a file's module, as the files are now; nothing is imported.

    Args:
        own: the file.
        name: of the module that it is, or would be.

    Raises:
        OSError: a file cannot be read.
        SyntaxError: one is no Python.
    """
    return _digest_of(code_of(own, name))


def _digest_of(code: Code) -> str:
    content = hashlib.blake2b(digest_size=10)
    for key, file in sorted(code.files.items()):
        text = file.read_bytes()
        content.update(f"{key}:{len(text)}:".encode() + text)
    return content.hexdigest()


@cache
def git_commit() -> str:
    """Return the commit of the checkout that this package runs from; empty when installed.

    Read from the files of `.git`, so that no subprocess can hang or be missing. It does not tell whether files were
    edited since: `code_digest` does.
    """
    checkout = Path(__file__).resolve().parents[1]
    return commit_of(checkout / ".git") if (checkout / "pyproject.toml").is_file() else ""


def commit_of(git: Path) -> str:
    """Return the commit that a `.git` (a folder, or a worktree's file) is at; empty if that cannot be read."""
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
        "cores": limits.cores(),
        "memory_bytes": limits.memory_bytes(),
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
