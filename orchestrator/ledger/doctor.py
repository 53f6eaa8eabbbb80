"""Finding and setting aside what is broken in a results folder; nothing is ever deleted here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from orchestrator.ledger import files
from orchestrator.ledger.batches import Batches
from orchestrator.ledger.studies import check_study, study_names

__all__ = ["find_problems", "quarantine"]


def find_problems(results: Path) -> dict[Path, str]:
    """Read every file of the ledger and return path -> one line each for those that are broken or foreign.

    Raises:
        LedgerError: the folder cannot be listed, or holds a file of a newer schema.
    """
    batches = Batches(results)
    batches.refresh()
    named: set[Path] = set()
    for batch in [*batches.live(), *batches.leftovers()]:
        batches.epochs(batch)
        epochs = batches.epochs_file(batch[1])
        named |= {epochs.path} if epochs is not None else set()
    problems = {path: f"{path.relative_to(results)} {reason}" for path, reason in batches.broken.items()}
    problems |= _unknown_columns(batches, results)
    problems |= _epochs_alone(batches, results, named)
    for name in study_names(results):
        found = check_study(results, name)
        if found:
            problems[results / "studies" / name / "plan.parquet"] = found
    return problems


def quarantine(results: Path, broken: Iterable[Path]) -> list[Path]:
    """Move files to `quarantine/` under the results folder; return where they are now. Missing ones are left out."""
    moved = []
    with files.os_errors(f"results folder {str(results)!r} cannot be repaired"):
        for path in broken:
            if not path.exists() and not path.is_symlink():
                continue
            target = _free(results / "quarantine" / path.relative_to(results))
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
            moved.append(target)
    return moved


def _free(target: Path) -> Path:
    candidate, number = target, 1
    while candidate.exists():
        number += 1
        candidate = target.with_name(f"{target.name}.{number}")
    return candidate


def _unknown_columns(batches: Batches, results: Path) -> dict[Path, str]:
    return {
        file.path: f"{file.path.relative_to(results)} holds unknown columns, left out: {', '.join(head.unknown)}"
        for file, head in batches.live()
        if head.unknown
    }


def _epochs_alone(batches: Batches, results: Path, named: set[Path]) -> dict[Path, str]:
    """Return epochs files that belong to a broken trials file, or to none because they are foreign.

    Those of an append that never happened are no problem: a driver deletes them when it opens the folder.
    """
    with files.os_errors("the ledger cannot be read"):
        found, foreign = files.scan(batches.epochs_folder)
        broken = {path.name.split(".")[0] for path in batches.broken if path.parent == batches.trials_folder}
    alone = {
        file.path: f"{file.path.relative_to(results)} belongs to a broken trials file"
        for file in found
        if file.path not in named and file.batch in broken
    }
    return alone | {path: f"{path.relative_to(results)} {files.strange(path)}" for path in foreign}
