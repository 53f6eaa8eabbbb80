"""What users keep of trials: `kept/<trial_id>.json` names files; these lie in `kept/files/` under their own digest.

A trial's file of names is written after the files that it names, and before the trial's row: a complete trial whose
files were asked for has them. Equal contents are one file. Whoever deletes the folder loses files, and no row.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from orchestrator.ledger import files, plain_files

__all__ = ["FOLDER", "Kept"]

FOLDER = "kept"

ENDINGS = {"weights": "safetensors", "assignments": "parquet", "embeddings": "parquet"}
"""What is kept -> the ending of its file; weights that a command left keep an ending of their own."""

NAME = re.compile(r"[0-9a-f]{32}\.(safetensors|parquet|bin)")
"""Names of kept files: the digest of the content, and what it is."""

SAFETENSORS_HEAD = 8
"""Bytes before the header, its length; the header is JSON."""


class Kept:
    """The kept files of a results folder.

    Args:
        results: the results folder.
        require_lock: raises LedgerError unless this process may write to the folder.
    """

    def __init__(self, results: Path, require_lock: Callable[[], None]) -> None:
        self._results, self._require_lock = results, require_lock

    def put(self, trial_id: str, content: Mapping[str, bytes]) -> None:
        """Write what is kept of a trial, durably: files, then their names.

        Args:
            trial_id: the trial.
            content: as `trial.Report.kept` has it.
        """
        self._require_lock()
        named = {}
        for what, written in content.items():
            data = written if what == "weights" else _parquet(what, written)
            ending = ENDINGS[what] if what != "weights" or _is_safetensors(data) else "bin"
            named[what] = (f"{_digest(data)}.{ending}", data)
        self._write(trial_id, named)

    def _write(self, trial_id: str, named: Mapping[str, tuple[str, bytes]]) -> None:
        """Write files, by what they are: name and content; then their names."""
        with files.os_errors(f"what is kept of trial {trial_id} cannot be written"):
            own = plain_files.inside(self._results, FOLDER, "files")
            own.mkdir(parents=True, exist_ok=True)
            for name, data in named.values():
                if not (own / name).is_file():
                    files.write_durably(own / name, data)
            told = {what: {"file": name, "bytes": len(data)} for what, (name, data) in named.items()}
            path = plain_files.inside(self._results, FOLDER, f"{trial_id}.json")
            files.write_durably(path, json.dumps(told, sort_keys=True).encode())

    def ids(self) -> set[str]:
        """Return the trials of which something is kept."""
        with files.os_errors("what is kept cannot be read"):
            folder = plain_files.inside(self._results, FOLDER)
            return {path.stem for path in folder.glob("*.json")} if folder.is_dir() else set()

    def of(self, trial_id: str) -> dict[str, Path]:
        """Return what is kept of a trial -> its file; empty: nothing is."""
        return {what: self._file(known["file"]) for what, known in self._named(trial_id).items()}

    def n_bytes(self, trial_id: str) -> int:
        """Return the bytes of a trial's files."""
        return sum(int(known["bytes"]) for known in self._named(trial_id).values())

    def missing_of(self, wanted: Collection[str]) -> set[str]:
        """Return those of some trials of which nothing is kept."""
        return set(wanted) - self.ids() if wanted else set()

    def forget(self) -> None:
        """Delete all that is kept."""
        self._require_lock()
        with files.os_errors("what is kept cannot be deleted"):
            folder = plain_files.inside(self._results, FOLDER)
            if folder.is_dir():
                shutil.rmtree(folder)

    def bring(self, other: Path) -> int:
        """Copy what another results folder keeps of trials that are not kept here; return of how many.

        A file whose content does not match its name is left there, with the trial that it belongs to.
        """
        self._require_lock()
        there = Kept(other, self._require_lock)
        n_trials = 0
        for trial_id in sorted(there.missing_here(self)):
            named = there._named(trial_id)
            content = {what: _whole(there._file(known["file"])) for what, known in named.items()}
            if named and all(content.values()):
                self._write(trial_id, {what: (known["file"], content[what]) for what, known in named.items()})
                n_trials += 1
        return n_trials

    def missing_here(self, here: Kept) -> set[str]:
        """Return the trials that are kept in this folder and not in another one."""
        return self.ids() - here.ids()

    def _file(self, name: str) -> Path:
        return plain_files.inside(self._results, FOLDER, "files", name)

    def _named(self, trial_id: str) -> dict[str, Any]:
        try:
            path = plain_files.inside(self._results, FOLDER, f"{trial_id}.json")
            named = plain_files.parsed(plain_files.read(path, plain_files.MOST_JSON_BYTES))
        except (OSError, ValueError):
            return {}
        return named if isinstance(named, dict) and all(map(_is_told, named, named.values())) else {}


def _is_told(what: object, known: object) -> bool:
    """Return whether an entry of a file of names is one of ours; a stranger's folder may hold anything."""
    if what not in ENDINGS or not isinstance(known, dict):
        return False
    name, n_bytes = known.get("file"), known.get("bytes")
    return isinstance(name, str) and NAME.fullmatch(name) is not None and isinstance(n_bytes, int)


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _whole(path: Path) -> bytes:
    """Return the content of a kept file; empty: it is absent, or does not match its name."""
    try:
        content = plain_files.read(path)
    except OSError:
        return b""
    return content if path.name.partition(".")[0] == _digest(content) else b""


def _is_safetensors(content: bytes) -> bool:
    return content[SAFETENSORS_HEAD : SAFETENSORS_HEAD + 1] == b"{"


def _parquet(what: str, npy: bytes) -> bytes:
    """Return a table of one row a scored point, in order: `cluster`, or `embedding` as a list of numbers."""
    array = np.load(io.BytesIO(npy), allow_pickle=False)
    if what == "assignments":
        columns = {"cluster": pa.array(array)}
    else:
        flat = pa.array(np.ascontiguousarray(array, dtype=np.float32).reshape(-1))
        columns = {"embedding": pa.FixedSizeListArray.from_arrays(flat, array.shape[1])}
    content: bytes = files.encode(pa.table(columns)).to_pybytes()
    return content
