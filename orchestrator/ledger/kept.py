"""What users keep of trials: `kept/<trial_id>.json` names files; these lie in `kept/files/` under their own digest.

A trial's file of names is written after the files that it names, and before the trial's row: a complete trial whose
files were asked for has them. Equal contents are one file. Whoever deletes the folder loses files, and no row.
"""

from __future__ import annotations

import hashlib
import io
import json
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
        with files.os_errors(f"what is kept of trial {trial_id} cannot be written"):
            own = plain_files.inside(self._results, FOLDER, "files")
            own.mkdir(parents=True, exist_ok=True)
            named = {}
            for what, written in content.items():
                data = written if what == "weights" else _parquet(what, written)
                ending = ENDINGS[what] if what != "weights" or _is_safetensors(data) else "bin"
                name = f"{hashlib.blake2b(data, digest_size=16).hexdigest()}.{ending}"
                if not (own / name).is_file():
                    files.write_durably(own / name, data)
                named[what] = {"file": name, "bytes": len(data)}
            text = json.dumps(named, sort_keys=True).encode()
            files.write_durably(plain_files.inside(self._results, FOLDER, f"{trial_id}.json"), text)

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

    def _file(self, name: str) -> Path:
        return plain_files.inside(self._results, FOLDER, "files", name)

    def _named(self, trial_id: str) -> dict[str, Any]:
        try:
            path = plain_files.inside(self._results, FOLDER, f"{trial_id}.json")
            named = plain_files.parsed(plain_files.read(path, plain_files.MOST_JSON_BYTES))
        except (OSError, ValueError):
            return {}
        return named if isinstance(named, dict) else {}


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
