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
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.errors import LedgerError, RequestError, UnknownNameError
from orchestrator.ledger import files
from orchestrator.ledger.schema import SCHEMA_VERSION, metadata

__all__ = ["add_look", "check_study", "read_study", "study_folder", "study_names", "sweep_studies", "write_study"]

LOOKS = "looks.jsonl"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def study_folder(results: Path, name: str) -> Path:
    """Return where a study's files lie.

    Raises:
        RequestError: the name cannot be a folder's.
    """
    if not _NAME.fullmatch(name):
        raise RequestError(f"study name {name!r} is not made of letters, digits, '_', '-' and '.'")
    return results / "studies" / name


def study_names(results: Path) -> list[str]:
    """Return the names of the studies that have a plan in this results folder."""
    with files.os_errors("the ledger cannot be read"):
        return sorted(path.parent.name for path in (results / "studies").glob("*/plan.parquet"))


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
    path = study_folder(results, name) / "plan.parquet"
    with files.os_errors(f"the files of study {name!r} cannot be read"):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise UnknownNameError("study in this results folder", name, study_names(results)) from None
    study_json, plan = _decode(path, content)
    early = _looks(path.with_name(LOOKS))
    if early:
        taken = list(study_json.get("looks_taken", ()))
        taken += [look for look in early if all(look["n_seeds"] != one["n_seeds"] for one in taken)]
        study_json["looks_taken"] = sorted(taken, key=lambda look: str(look["at"]))
    return study_json, plan


def add_look(results: Path, name: str, look: Mapping[str, Any]) -> None:
    """Remember a look at a study that is not done; needs no lock, since lines are only added.

    Args:
        results: the results folder.
        name: the study.
        look: an entry of `looks_taken`.
    """
    path = study_folder(results, name) / LOOKS
    with files.os_errors(f"the look at study {name!r} cannot be remembered"), path.open("a") as file:
        file.write(json.dumps(look) + "\n")


def _looks(path: Path) -> list[dict[str, Any]]:
    with files.os_errors(f"{str(path)!r} cannot be read"):
        lines = path.read_text().splitlines() if path.is_file() else []
    found = []
    for line in lines:
        with contextlib.suppress(ValueError):  # the last line of a writer that was killed
            found.append(json.loads(line))
    return found


def sweep_studies(results: Path) -> None:
    """Delete the temporary files that a killed writer of plans left; other files of a study are none of ours."""
    for name in ("plan.parquet", "study.json"):
        for path in (results / "studies").glob(f"*/{files.temporary(name)}"):
            files.discard(path)


def check_study(results: Path, name: str) -> str:
    """Return what is wrong with a study's files; empty: nothing."""
    try:
        read_study(results, name)
    except LedgerError as error:
        return str(error)
    return ""


def _decode(path: Path, content: bytes) -> tuple[dict[str, Any], pa.Table]:
    try:
        plan = pq.read_table(pa.BufferReader(content), page_checksum_verification=True)
        facts = json.loads(plan.schema.metadata[b"orchestrator"])
        version = int(facts["schema_version"])
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError):
        raise LedgerError(f"{str(path)!r} is damaged; run the study again to write it anew") from None
    if version > SCHEMA_VERSION:
        raise LedgerError(
            f"{str(path)!r} has ledger schema {version}, this program knows up to {SCHEMA_VERSION}: "
            "use a newer release of deep-clustering-orchestrator"
        )
    plan = plan.replace_schema_metadata(None)
    if facts.get("digest") != _digest(str(facts.get("study")), plan):
        raise LedgerError(f"{str(path)!r} is damaged; run the study again to write it anew")
    study_json: dict[str, Any] = json.loads(facts["study"])
    return study_json, plan


def _digest(text: str, plan: pa.Table) -> str:
    rows = json.dumps([text, plan.to_pydict()], default=str)
    return hashlib.blake2b(rows.encode(), digest_size=16).hexdigest()
