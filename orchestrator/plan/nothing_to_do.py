"""Is there nothing to do? Answered from the ledger and the files' digests, without importing a method (or torch)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa

from orchestrator import discovery
from orchestrator.dataset_name import loaded_as
from orchestrator.ledger import Ledger
from orchestrator.own.declared import OWN_DATA, declaration_of
from orchestrator.plan.keeping import keeps
from orchestrator.provenance import file_code_digest, versions
from orchestrator.study import Study
from orchestrator.trial import TrialState, digest

__all__ = ["n_known_trials", "plan_key"]


def plan_key(study: Study, plugins: Sequence[str]) -> str:
    """Return a digest of all that a plan follows from: the study, the files of the project and of plugins, versions."""
    return digest([repr(replace(study, docstring="")), list(_contents(study, plugins)), versions()])


def n_known_trials(study: Study, ledger: Ledger, plugins: Sequence[str]) -> int | None:
    """Return how many trials a study has if all are complete and nothing that the plan follows from has changed.

    None: something is to be trained, or it takes a full plan to know.
    """
    if study.key not in ledger.studies.names():
        return None
    record, plan = ledger.studies.read(study.key)
    if record.get("finished_key") != plan_key(study, plugins):
        return None
    wanted = set(plan["trial_id"].to_pylist())
    states = ledger.states(wanted)
    if ledger.kept.missing_of(_kept(study.keep, plan)):
        return None
    done = len(states) == len(wanted) and TrialState.FAILED not in states.values()
    return len(wanted) if done else None


def _kept(keep: str, plan: pa.Table) -> set[str]:
    """Return the trials of a recorded plan whose files the study keeps."""
    if not keep:
        return set()
    rows = zip(*(plan[name].to_pylist() for name in ("trial_id", "phase", "role")), strict=True)
    return {trial_id for trial_id, phase, role in rows if keeps(keep, phase, role)}


def _contents(study: Study, plugins: Sequence[str]) -> Iterator[str]:
    named = [("method", name) for name in study.methods]
    named += [("dataset", discovery.dataset_file(reference)) for reference in study.datasets]
    named += [("metric", name) for name in discovery.names("metric", plugins)]
    for kind, name in named:
        if name == OWN_DATA:
            continue
        own = declaration_of(name)
        if own is not None:
            yield f"{kind} {name} {own.identity} {own.code_digest()}"
            continue
        path = discovery.origin(kind, name, plugins)
        yield f"{kind} {name} {_code(path, kind) if path else 'installed elsewhere'}"
    yield from _files(study.datasets)
    for package in (discovery.FOLDERS["method"], "orchestrator"):
        folder = Path(discovery.find_package(package.partition(".")[0]))
        for path in sorted(folder.rglob("*.py")):
            yield f"{path.relative_to(folder)} {_digest(path)}"


def _files(references: Sequence[str]) -> Iterator[str]:
    """Yield name, size and time of each file in folders that datasets name: to read the data would take too long."""
    for reference in references:
        name, _, options = loaded_as(reference).partition(":")
        yield from _files_in(name)
        for option in options.split(","):
            yield from _files_in(option.partition("=")[2])


def _files_in(name: str) -> Iterator[str]:
    folder = discovery.data_folder() / name
    if not name or not os.path.exists(folder):  # whatever is no path is not there either
        return
    for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
        if path.is_file():
            about = path.stat()
            yield f"{path.relative_to(folder)} {about.st_size} {about.st_mtime_ns}"


def _code(path: Path, kind: str) -> str:
    """Return the digest of a file and of what it imports; of one that cannot be read as Python its own."""
    try:
        return file_code_digest(path.resolve(), f"{discovery.FOLDERS[kind]}.{path.stem}")
    except (OSError, SyntaxError, ValueError):
        return _digest(path)


def _digest(path: Path) -> str:
    return blake2b(path.read_bytes(), digest_size=10).hexdigest()
