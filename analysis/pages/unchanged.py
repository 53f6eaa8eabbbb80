"""The reports of all studies as they were made last: if nothing changed since, they are kept and nothing is loaded.

A stamp (`stamp`) beside the index page says from which bytes of the ledger and of the code everything was made.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.data.places import place_for
from analysis.pages import stamp as stamps
from orchestrator.errors import OrchestratorError
from orchestrator.ledger import plain_files

__all__ = ["KeptIndex", "KeptLine", "inputs", "keep", "kept"]

STAMP = "index.json"
LINES = "index.lines.json"
"""What a terminal is told."""

OF_STUDY = ("studies/*/plan.parquet", "studies/*/study.json", "studies/*/looks.jsonl")
"""What the ledger holds beside a study's report."""


@dataclass(frozen=True, kw_only=True)
class KeptLine:
    """One study, as `overview.Line`."""

    name: str
    exploratory: bool
    answer: str
    short: str


@dataclass(frozen=True, kw_only=True)
class KeptIndex:
    """What was made, as `index.Index`."""

    lines: tuple[KeptLine, ...]
    summary: str
    paths: Mapping[str, Path]
    as_json: Mapping[str, Any]
    """All that `index.Index` says."""


def inputs(results: Path) -> str:
    """Return the digest of every file of a ledger that a report reads; empty: one of them is none that it may read."""
    found = hashlib.blake2b(digest_size=16)
    try:
        for path in sorted(_inputs(results)):
            found.update(f"{path.relative_to(results)}\n".encode() + hashlib.blake2b(plain_files.read(path)).digest())
    except (OSError, OrchestratorError):
        return ""
    return found.hexdigest()


def _inputs(results: Path) -> Iterable[Path]:
    for pattern in ("trials/*", "epochs/*", "retracted.jsonl", *OF_STUDY):
        yield from _files(results, pattern)


def _files(folder: Path, pattern: str) -> Iterable[Path]:
    """Return the files of a folder that fit a pattern; folders are left out."""
    return filter(Path.is_file, folder.glob(pattern))


def kept(results: Path, out: Path | None, *, notebook: bool, words: Path | None) -> KeptIndex | None:
    """Return what was made last; None: something changed since, or was changed by somebody.

    Args:
        results: the results folder.
        out: where the files lie; None: `place_for`.
        notebook: whether the notebooks must be there.
        words: where ANSWERS.md goes besides.
    """
    place = place_for(results, out)
    if not (place / STAMP).is_file():
        return None
    known = _facts(inputs(results), notebook)
    try:
        if not known["ledger"] or not stamps.is_current(place / STAMP, known, ("index.html", "ANSWERS.md", LINES)):
            return None
        said = plain_files.parsed(plain_files.read(place / LINES, plain_files.MOST_JSON_BYTES), nan=True)
        answers = plain_files.read(place / "ANSWERS.md")
    except (OSError, ValueError, OrchestratorError):
        return None
    if words is not None:
        words.write_bytes(answers)
    names = [field.name for field in dataclasses.fields(KeptLine)]
    lines = [KeptLine(**{name: one[name] for name in names}) for one in said["lines"]]
    paths = {label: place / name for label, name in said["paths"].items()}
    return KeptIndex(lines=tuple(lines), summary=said["summary"], paths=paths, as_json={**said, "paths": paths})


def keep(found: Any, before: str, place: Path, *, notebook: bool) -> None:
    """Write down what was made of what.

    Args:
        found: the `index.Index`.
        before: `inputs`, from before anything was read.
        place: where the files lie.
        notebook: whether the notebooks were executed.
    """
    if not before:
        return
    names = {label: str(path.relative_to(place)) for label, path in found.paths.items()}
    said = {**dataclasses.asdict(found), "paths": names}
    (place / LINES).write_text(json.dumps(said, indent=1, default=str), encoding="utf-8")
    files = {place / LINES, place / "index.html", place / "ANSWERS.md"}
    for line in found.lines:
        files.update(_of_study(place / "studies" / line.name))
    files.update(_files(place, "notebooks/*"), _files(place, "figures/*"))
    stamps.write(place / STAMP, _facts(before, notebook), sorted(files))


def _of_study(folder: Path) -> Iterable[Path]:
    """Return the files of a study's report."""
    stamp = folder / "report.json"
    if stamp.is_file():  # without a key there is none, and nothing can be kept
        yield stamp
        made = json.loads(stamp.read_text(encoding="utf-8"))["files"]
        yield from (folder / name for name in made)


def _facts(ledger: str, notebook: bool) -> dict[str, Any]:
    return {"ledger": ledger, "code": stamps.code_of_analysis(), "notebook": notebook}
