"""The files that a command line runs and reads: found by its words, and by what Python files import; nothing is run."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from orchestrator.code_files import code_of
from orchestrator.errors import RequestError

__all__ = ["Sources", "python_code", "sources_of"]

CODE = {".py", ".sh", ".bash", ".zsh", ".pl", ".r", ".jl", ".rb", ".lua"}
"""Endings of files that are run; other files in a line are read."""


class Sources(NamedTuple):
    """Files by labels that hold on every machine: paths seen from the folder where the line runs."""

    code: dict[str, Path]
    data: dict[str, Path]


def sources_of(words: Sequence[str], folder: Path, files: Mapping[str, str], code: Sequence[str], who: str) -> Sources:
    """Return what the words of a line name, and what is named beside them.

    Args:
        words: of the line.
        folder: where it runs.
        files: name -> path of data.
        code: paths of further code, with `*` for many.
        who: the method, for messages.

    Raises:
        RequestError: a file that is not there, or a Python file that is none.
    """
    found = Sources({}, {})
    _add_named(found, words, folder)
    for pattern in code:
        everywhere = glob.glob(f"{glob.escape(str(folder))}/{pattern}" if not os.path.isabs(pattern) else pattern,
                               recursive=True, include_hidden=True)  # fmt: skip
        matches = [Path(path) for path in sorted(everywhere) if os.path.isfile(path)]
        if not matches:
            raise RequestError(f"{who}: code: there is no file {pattern!r} in {str(folder)!r}")
        found.code.update({_label(path, folder): path for path in matches})
    for name, place in files.items():
        path = folder / os.path.expanduser(place)
        if not os.path.exists(path):  # of what no file system takes Path.exists raises
            raise RequestError(f"{who}: files: {name!r} is {str(path)!r}, which is not there")
        found.data[name] = path
    for path in [path for path in found.code.values() if path.suffix == ".py"]:
        found.code.update(python_code(path, folder, who, _name_of(path, words, folder)))
    return found


def _add_named(found: Sources, words: Sequence[str], folder: Path) -> None:
    """Add the files and modules that the words of a line name."""
    for place, word in enumerate(words):
        path = _file(word, folder)
        if path is not None:
            is_code = path.suffix.lower() in CODE or place == 0
            (found.code if is_code else found.data)[_label(path, folder)] = path
    for word, after in pairwise(words):
        if word == "-m" and (module := _module(after, folder)) is not None:
            found.code[_label(module, folder)] = module


def _name_of(path: Path, words: Sequence[str], folder: Path) -> str:
    """Return the name under which a file of a line runs: of `-m pack` it is that of a module in a package."""
    for word, after in pairwise(words):
        if word == "-m" and _module(after, folder) == path:
            return f"{after}.__main__" if path.name == "__main__.py" else after
    return "__main__"


def python_code(script: Path, folder: Path, who: str, name: str = "__main__") -> dict[str, Path]:
    """Return a Python file and what it imports that no installed package brings, by labels.

    Raises:
        RequestError: one of them cannot be read as Python.
    """
    with _found_beside(script.parent if name == "__main__" else folder):
        try:
            files = code_of(script, name).files
        except (OSError, SyntaxError, ValueError) as error:
            raise RequestError(f"{who}: {str(script)!r}: {type(error).__name__}: {error}") from None
    return {_module_label(name, path, folder): path for name, path in files.items()}


@contextmanager
def _found_beside(folder: Path) -> Iterator[None]:
    """Have modules in a folder found first, as Python does for a script in it."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _file(word: str, folder: Path) -> Path | None:
    """Return the file that a word names, alone or after `=`; None: it names none."""
    for text in (word, word.partition("=")[2]):
        if text and os.path.isfile(folder / text):
            return folder / text
    return None


def _module(name: str, folder: Path) -> Path | None:
    stem = folder.joinpath(*name.split("."))
    for path in (Path(f"{stem}.py"), stem / "__main__.py"):
        if os.path.isfile(path):
            return path
    return None


def _module_label(name: str, path: Path, folder: Path) -> str:
    """Return the label of an imported file: of one that lies elsewhere, where it would lie beside the script."""
    label = _label(path, folder)
    if not name or not label.startswith("../"):
        return label
    parts = [*name.split("."), "__init__.py"] if path.name == "__init__.py" else [f"{name.replace('.', '/')}.py"]
    return "/".join(parts)


def _label(path: Path, folder: Path) -> str:
    """Return a path as it is seen from a folder, with `/`."""
    return os.path.relpath(os.path.realpath(path), os.path.realpath(folder)).replace(os.sep, "/")
