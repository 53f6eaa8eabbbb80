"""A study's own files: `studies/<name>/study.json` and `plan.parquet`, replaced together or not at all.

Two renames cannot be one step, so `plan.parquet` carries the study's JSON in its metadata and is what is read back;
`study.json` beside it is the same text for people and other programs.

`looks.jsonl` has the looks that were taken at a study before it was done, one a line. Whoever takes one may not be the
driver, so it is no part of those files; it is read with them, and the driver's next record has it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.errors import LedgerError, RequestError, UnknownNameError
from orchestrator.ledger import files, plain_files
from orchestrator.ledger.rows import checks
from orchestrator.ledger.schema import SCHEMA_VERSION, metadata
from orchestrator.ledger.studies.record_schema import command_problem, record_problem

__all__ = ["Brief", "StudyFiles", "add_look", "looks_taken", "read_studies", "read_study", "study_folder"]
__all__ += ["study_names", "study_problems", "sweep_studies", "whole_study", "write_study"]

LOOKS = "looks.jsonl"

NEEDED = {"question", "metric", "alpha", "datasets", "seeds", "arms", "contrasts", "command"}
"""Fields of a record without which there is no answer."""

PLANNED = {"trial_id", "arm", "factor", "level", "role", "phase", "dataset", "method", "seed_block", "seed"}
PLANNED |= {"configuration"}
"""Columns of a plan."""

MOST_ROWS = 2**21
"""Trials of one plan."""

SLICE_ROWS = 2**14

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}")


@dataclass(frozen=True)
class Brief:
    """What a list of studies says of one."""

    tier: str
    command: str
    """What trains it."""
    trial_ids: pa.ChunkedArray
    """Of each row of its plan."""


class StudyFiles:
    """The files of the studies that were planned in a results folder.

    Args:
        results: the results folder.
        require_lock: raises LedgerError unless this process may write to the folder.
    """

    def __init__(self, results: Path, require_lock: Callable[[], None]) -> None:
        self._results, self._require_lock = results, require_lock

    def names(self) -> list[str]:
        """Return the studies that have a plan in this results folder."""
        return study_names(self._results)

    def folder(self, name: str) -> Path:
        """Return where a study's files lie; this call does not make the folder."""
        return study_folder(self._results, name)

    def read(self, name: str) -> tuple[dict[str, Any], pa.Table]:
        """Return a study's description and plan, as last written; see `read_study` for errors."""
        return read_study(self._results, name)

    def trial_ids(self, name: str) -> pa.ChunkedArray:
        """Return the trial_id of each row of a study's plan, of which no more is read; see `read_study` for errors."""
        return _trial_ids(*_opened(*_content(self._results, name)))

    def brief(self, name: str) -> Brief:
        """Return what a list of studies says of one, of whose files no more is read; see `read_study` for errors."""
        return _brief(*_opened(*_content(self._results, name)))

    def write(self, name: str, study_json: Mapping[str, Any], plan: pa.Table) -> None:
        """Write a study's description and plan; after a crash both are the old or both are the new."""
        self._require_lock()
        write_study(self._results, name, study_json, plan)


def study_folder(results: Path, name: str) -> Path:
    """Return where a study's files lie.

    Raises:
        RequestError: the name cannot be a folder's.
    """
    if not _NAME.fullmatch(name):
        raise RequestError(f"study name {name!r} is not made of letters, digits, '_', '-' and '.'")
    return plain_files.inside(results, "studies", name)


def study_names(results: Path) -> list[str]:
    """Return the names of the studies that have a plan in this results folder."""
    with files.os_errors("the ledger cannot be read"):
        names = []
        for folder in plain_files.folders(plain_files.inside(results, "studies")):
            if _NAME.fullmatch(folder.name) and plain_files.kind_of(folder / "plan.parquet") != "nothing":
                names.append(folder.name)
        return names


def study_problems(results: Path) -> dict[Path, str]:
    """Return path -> line for what is wrong under `studies/`: broken plans, names of no study, links."""
    place = plain_files.inside(results, "studies")
    with files.os_errors("the ledger cannot be read"):
        names = sorted(os.listdir(place)) if plain_files.kind_of(place) == "a folder" else []
    problems = {}
    for name in names:
        kind = plain_files.kind_of(place / name)
        if kind != "a folder":
            problems[place / name] = f"studies/{name} is {kind}, not the folder of a study"
        elif not _NAME.fullmatch(name):
            problems[place / name] = f"studies/{name} is not the name of a study: letters, digits, '_', '-' and '.'"
        elif found := _problem(results, name):
            problems[place / name / "plan.parquet"] = found
    return problems


def write_study(
    results: Path, name: str, study_json: Mapping[str, Any], plan: pa.Table, *, tight: bool = False
) -> None:
    """Write a study's description and its plan (`tight`: as small as they come), both or, after a crash, neither."""
    folder = study_folder(results, name)
    with files.os_errors(f"the files of study {name!r} cannot be written"):
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in encoded(study_json, plan, tight=tight).items():
            files.write_durably(folder / file, content)


def encoded(study_json: Mapping[str, Any], plan: pa.Table, *, tight: bool) -> dict[str, pa.Buffer | bytes]:
    """Return the contents of a study's two files, in the order in which they are to be written."""
    text = json.dumps(study_json, indent=None if tight else 1, sort_keys=True)
    facts = metadata("plan", study=text, digest=_digest(text, plan))
    content = files.encode(plan.replace_schema_metadata(facts), small=not tight, tight=tight)
    return {"plan.parquet": content, "study.json": (text + "\n").encode()}


def read_study(results: Path, name: str) -> tuple[dict[str, Any], pa.Table]:
    """Return a study's description and its plan, as last written together.

    Raises:
        UnknownNameError: it was never planned in this results folder.
        LedgerError: its files are broken or of a newer schema; the text says how to write them anew.
    """
    path, content = _content(results, name)
    study_json, plan = _decode(path, content)
    early = _looks(path.with_name(LOOKS))
    if early:
        taken, known = list(study_json.get("looks_taken", ())), looks_taken(study_json)
        for look in early:
            if look["n_seeds"] not in known:
                taken.append(look)
        study_json["looks_taken"] = sorted(taken, key=lambda look: str(look["at"]))
    return study_json, plan


def read_studies(results: Path) -> dict[str, tuple[dict[str, Any], pa.Table]]:
    """Return `read_study` of every study that was planned in a results folder, by name, in the order of names.

    Raises:
        LedgerError: the files of one are broken or of a newer schema.
    """
    return {name: read_study(results, name) for name in study_names(results)}


def looks_taken(record: Mapping[str, Any]) -> set[int]:
    """Return after how many seeds a study was looked at, by its description."""
    return {look["n_seeds"] for look in record.get("looks_taken", ())}


def _trial_ids(path: Path, file: pq.ParquetFile, facts: Mapping[str, Any]) -> pa.ChunkedArray:
    plan = _rows(path, file, ["trial_id"])
    _refuse(path, checks.wrong_columns("plan", plan.schema) or checks.wrong_values(plan))
    with _damaged(path):
        return plan["trial_id"]


def _brief(path: Path, file: pq.ParquetFile, facts: Mapping[str, Any]) -> Brief:
    with _damaged(path):
        record = plain_files.parsed(str(facts.get("study")).encode(), nan=True)
        tier, command = str(record.get("tier", "local")), str(record.get("command", ""))
    _refuse(path, command and command_problem(command))
    return Brief(tier, command, _trial_ids(path, file, facts))


def _refuse(path: Path, problem: str) -> None:
    if problem:
        raise LedgerError(f"{str(path)!r} {problem}; run the study again to write it anew")


def _content(results: Path, name: str) -> tuple[Path, bytes]:
    """Return where a study's plan lies and what the file holds."""
    path = study_folder(results, name) / "plan.parquet"
    with files.os_errors(f"the files of study {name!r} cannot be read"):
        try:
            return path, plain_files.read(path)
        except FileNotFoundError:
            raise UnknownNameError("study in this results folder", name, study_names(results)) from None


def whole_study(results: Path, name: str) -> tuple[dict[str, Any], pa.Table]:
    """Return a study's description and its plan, which have all that an answer is made of.

    Raises:
        UnknownNameError: it was never planned in this results folder.
        LedgerError: its files are broken, or something is absent: this program did not write them.
    """
    record, plan = read_study(results, name)
    absent = sorted([*(NEEDED - record.keys()), *(PLANNED - set(plan.column_names))])
    whole = PLANNED - {"configuration"} - set(absent)
    gaps = sorted(column for column in whole if plan[column].null_count)
    if absent or gaps:
        what = f"no {absent[0]!r}" if absent else f"gaps in the plan's {gaps[0]!r}"
        raise LedgerError(f"study {name!r} in {str(results)!r} has {what}: no answer can be made of it")
    return record, plan


def add_look(results: Path, name: str, look: Mapping[str, Any]) -> None:
    """Remember a look at a study that is not done; needs no lock, since lines are only added.

    Args:
        results: the results folder.
        name: the study.
        look: an entry of `looks_taken`.
    """
    path = plain_files.inside(results, "studies", name, LOOKS)
    with files.os_errors(f"the look at study {name!r} cannot be remembered"):
        plain_files.append(path, json.dumps(look).encode() + b"\n")


def _looks(path: Path) -> list[dict[str, Any]]:
    with files.os_errors(f"{str(path)!r} cannot be read"):
        try:
            lines = plain_files.read(path, plain_files.MOST_JSON_BYTES).splitlines()
        except FileNotFoundError:
            return []
    found = []
    for line in lines:
        with contextlib.suppress(ValueError):  # the last line of a writer that was killed
            found.append(plain_files.parsed(line))
    if record_problem({"looks_taken": found}):
        raise LedgerError(f"{str(path)!r} does not hold looks at a study; remove it")
    return found


def sweep_studies(results: Path) -> None:
    """Delete the temporary files that a killed writer of plans left; other files of a study are none of ours."""
    for folder in plain_files.folders(plain_files.inside(results, "studies")):
        for name in ("plan.parquet", "study.json"):
            files.discard(folder / files.temporary(name))


def _problem(results: Path, name: str) -> str:
    """Return what is wrong with a study's files; empty: nothing."""
    try:
        read_study(results, name)
    except UnknownNameError:  # a folder that only a report was written to
        return ""
    except LedgerError as error:
        return str(error)
    return ""


@contextlib.contextmanager
def _damaged(path: Path) -> Iterator[None]:
    """Say of whatever goes wrong with a file's content that it is damaged."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise LedgerError(f"{str(path)!r} is damaged; run the study again to write it anew") from None


def _opened(path: Path, content: bytes) -> tuple[Path, pq.ParquetFile, dict[str, Any]]:
    """Return a plan's path, file and what it says of itself; refuse a newer schema and what claims too much."""
    with _damaged(path):
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        facts = plain_files.parsed(file.metadata.metadata[b"orchestrator"])
        version = int(facts["schema_version"])
    if version > SCHEMA_VERSION:
        raise LedgerError(
            f"{str(path)!r} has ledger schema {version}, this program knows up to {SCHEMA_VERSION}: "
            "use a newer release of deep-clustering-orchestrator"
        )
    if file.metadata.num_rows > MOST_ROWS:
        raise LedgerError(f"{str(path)!r} claims {file.metadata.num_rows} trials; at most {MOST_ROWS} can be planned")
    return path, file, facts


def _rows(path: Path, file: pq.ParquetFile, columns: list[str] | None) -> pa.Table:
    """Return the rows of a plan, or some of its columns."""
    with _damaged(path):  # threads that cannot be had are waited for
        plan = file.read(columns, use_threads=False).replace_schema_metadata(None)
        plan.validate(full=True)
    return plan


def _decode(path: Path, content: bytes) -> tuple[dict[str, Any], pa.Table]:
    _, file, facts = _opened(path, content)
    plan = _rows(path, file, None)
    with _damaged(path):
        study = str(facts.get("study"))
        record = plain_files.parsed(study.encode(), nan=True)
        if facts.get("digest") != _digest(study, plan):
            raise ValueError("the digest is another's")
    _refuse(path, record_problem(record) or checks.wrong_columns("plan", plan.schema) or checks.wrong_values(plan))
    study_json: dict[str, Any] = record
    return study_json, plan


def _digest(text: str, plan: pa.Table) -> str:
    """Return the digest of `json.dumps([text, plan.to_pydict()], default=str)`, column by column and slice by slice."""
    found = hashlib.blake2b(f"[{json.dumps(text)}, {{".encode(), digest_size=16)
    for number, name in enumerate(plan.column_names):
        found.update(f"{', ' if number else ''}{json.dumps(name)}: [".encode())
        for start in range(0, len(plan), SLICE_ROWS):
            cells = json.dumps(plan[name].slice(start, SLICE_ROWS).to_pylist(), default=str)
            found.update(f"{', ' if start else ''}{cells[1:-1]}".encode())
        found.update(b"]")
    found.update(b"}]")
    return found.hexdigest()
