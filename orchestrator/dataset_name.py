"""The name of a dataset that is a file of the user's, or that was given a short name: what is printed, what is loaded.

`emb.npy:labels=y.npy,clusters=10` is called `emb:clusters=10` in tables, rows and figures; with `name=mine` it is
called `mine`. Where its files lie goes along with the name from process to process, and is part of no row: the digest
of its content says which data it was.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from orchestrator.errors import RequestError, shown

__all__ = [
    "ENDINGS",
    "LOADER",
    "PATHS",
    "DatasetName",
    "forget",
    "know",
    "loaded_as",
    "named",
    "recorded",
    "stamps",
    "with_option",
]

LOADER = "own_file"
"""The dataset that reads a user's own file or folder."""

ENDINGS = (".npy", ".npz", ".csv", ".tsv", ".parquet")
"""Of files with points. What ends in / is a folder of images."""

PATHS = ("file", "labels", "groups")
"""Options that may name a file."""

_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")

_sources: dict[str, str] = {}


class DatasetName(str):
    """What a dataset is called; `source` is the reference that is loaded. It is known wherever one has been made."""

    source: str

    def __new__(cls, text: str, source: str) -> DatasetName:  # noqa: D102  # the class says it
        name = super().__new__(cls, text)
        name.source = source
        _sources[text] = source
        return name

    def __reduce__(self) -> tuple[type[DatasetName], tuple[str, str]]:
        return DatasetName, (str(self), self.source)


def loaded_as(reference: str) -> str:
    """Return the reference that is loaded for a name; of what was not named, the name itself."""
    return reference.source if isinstance(reference, DatasetName) else _sources.get(reference, reference)


def forget(reference: str) -> None:
    """Know nothing any more of a name that was refused: it may be that of another dataset."""
    _sources.pop(str(reference), None)


def named(reference: str) -> str:
    """Return a reference; one of a file, or with a `name=`, as the name that carries where it is.

    Paths are relative to the current folder.

    Raises:
        RequestError: a path that no reference can hold, or a name that is none.
    """
    if isinstance(reference, DatasetName):
        return reference
    head, _, text = reference.partition(":")
    options = [option.partition("=")[::2] for option in text.split(",") if option]
    given = dict(options)
    own = head.endswith("/") or head.lower().endswith(ENDINGS)
    if not own and "name" not in given:
        return reference
    short = given.get("name", Path(head).stem)
    if not _WORD.fullmatch(short):
        raise RequestError(
            f"dataset {shown(reference)}: it needs a name of letters, digits, '_', '-' and '.': name=NAME"
        )
    kept = [(name, value) for name, value in options if name != "name"]
    said = (
        [(name, value) for name, value in kept if name not in PATHS or value == "none"] if "name" not in given else []
    )
    if own:
        kept = [("file", head), *kept]
    source = ",".join(f"{name}={_placed(value, name) if own else value}" for name, value in kept)
    return DatasetName(_joined(short, said), f"{LOADER if own else head}:{source}")


def _placed(value: str, option: str) -> str:
    """Return a path of an option as every process finds it; a column's name stays."""
    if option != "file" and (option not in PATHS or not value.lower().endswith(ENDINGS)):
        return value
    path = os.path.abspath(os.path.expanduser(value))
    if "," in path or "\n" in path:
        raise RequestError(f"dataset file {shown(path)}: a path with a comma cannot be named; move or link it")
    return path


def _joined(name: str, options: list[tuple[str, str]]) -> str:
    return name + (":" + ",".join(f"{option}={value}" for option, value in options) if options else "")


def stamps(source: str) -> tuple[tuple[str, int, int], ...]:
    """Return (path, size, time of the last change in ns) of the files that a reference names; of a folder, its parts.

    What was loaded is old once they differ; a folder's images that were changed where they lie are not seen.
    """
    found = []
    for option in source.partition(":")[2].split(","):
        name, _, value = option.partition("=")
        if name in PATHS and os.path.isabs(value):
            paths = (
                [value, *(entry.path for entry in os.scandir(value) if entry.is_dir())]
                if os.path.isdir(value)
                else [value]
            )
            for path in paths:
                with contextlib.suppress(OSError):
                    about = os.stat(path)
                    found.append((path, about.st_size, about.st_mtime_ns))
    return tuple(found)


def with_option(reference: str, option: str, value: str) -> str:
    """Return a reference with an option set, in the place of what it has of it."""

    def changed(text: str) -> str:
        name, _, options = text.partition(":")
        kept = [one for one in options.split(",") if one and not one.startswith(f"{option}=")]
        return f"{name}:{','.join([*kept, f'{option}={value}'])}"

    if isinstance(reference, DatasetName):
        return DatasetName(changed(str(reference)), changed(reference.source))
    return changed(reference)


def recorded(references: tuple[str, ...], folder: Path) -> dict[str, str]:
    """Return name -> what is loaded for it, paths as seen from a folder, of the references that have a name."""
    found = {}
    for reference in references:
        if loaded_as(reference) != reference:
            name, _, options = loaded_as(reference).partition(":")
            pairs = [option.partition("=")[::2] for option in options.split(",")]
            seen = [f"{one}={_seen_from(folder, value)}" for one, value in pairs]
            found[str(reference)] = f"{name}:{','.join(seen)}"
    return found


def _seen_from(folder: Path, value: str) -> str:
    return os.path.relpath(value, os.path.realpath(folder)) if os.path.isabs(value) else value


def know(found: Mapping[str, str], folder: Path, taken: Collection[str] = ()) -> None:
    """Know what is loaded for names again, as `recorded` told it of the same folder; nothing is opened.

    Args:
        found: name -> what is loaded for it.
        folder: of the record.
        taken: names that mean something else, whatever a record says.
    """
    for text, source in found.items():
        if text.partition(":")[0] in taken:
            continue
        name, _, options = source.partition(":")
        pairs = [option.partition("=")[::2] for option in options.split(",")]
        placed = [f"{one}={_found_from(folder, one, value)}" for one, value in pairs]
        _sources.setdefault(text, f"{name}:{','.join(placed)}")


def _found_from(folder: Path, option: str, value: str) -> str:
    if option != "file" and (option not in PATHS or not value.lower().endswith(ENDINGS)):
        return value
    return os.path.normpath(os.path.join(os.path.realpath(folder), value))
