"""Finding and setting aside what is broken in a results folder; nothing is deleted here."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from orchestrator.ledger import files, plain_files
from orchestrator.ledger.rows import compaction, headers
from orchestrator.ledger.rows.batches import Batches, retry_while_changing
from orchestrator.ledger.studies import study_problems

__all__ = ["Doctor", "find_problems", "repair", "set_aside"]


class Doctor:
    """What is broken in a results folder, and its repair.

    Args:
        results: the results folder.
        batches: its batches as a driver knows them.
        require_lock: raises LedgerError unless this process may write to the folder.
    """

    def __init__(self, results: Path, batches: Batches, require_lock: Callable[[], None]) -> None:
        self._results, self._batches, self._require_lock = results, batches, require_lock

    def problems(self) -> list[str]:
        """Read every file and return one line for each that is broken, foreign or of unknown columns."""
        return list(find_problems(self._results).values())

    def repair(self) -> list[str]:
        """Move what `problems` names to `quarantine/`; return its lines.

        What is moved did not count before either: the ledger reads as it did. Batches with a column that is unknown,
        or without the epoch rows that they had, are written anew as they read.
        """
        self._require_lock()
        self._batches.kept.forget()
        found = repair(self._results, self._batches)
        self._batches.refresh()
        return found


def find_problems(results: Path) -> dict[Path, str]:
    """Read every file of the ledger and return path -> one line each for those that are broken or foreign.

    Raises:
        LedgerError: the folder cannot be listed, or holds a file of a newer schema.
    """
    batches = Batches(results)
    return retry_while_changing(batches, lambda: _find(batches))


def repair(results: Path, batches: Batches) -> list[str]:
    """Move what is broken or foreign to `quarantine/`, write anew what reads differently from what it says.

    Args:
        results: the results folder.
        batches: the batches of a driver that holds the folder's lock; brought up to date.

    Returns:
        One line for each problem that was found.
    """
    found = retry_while_changing(batches, lambda: _find(batches))
    wrong = batches.doubtful.keys() | batches.broken.keys()
    anew = [batch for batch in batches.live() if wrong & {batch[0].path, batches.epochs_folder / batch[1].epochs}]
    with files.os_errors(f"results folder {str(results)!r} cannot be repaired"):
        for path in found:
            set_aside(results, path, shutil.copy2 if path in batches.doubtful else shutil.move)
    for batch in anew:
        compaction.merge(batches, [batch])
    batches.forget_problems()
    return list(found.values())


def _find(batches: Batches) -> dict[Path, str]:
    batches.refresh()
    named: set[Path] = set()
    for batch in batches.live():
        batches.trials(batch)
        for _ in batches.parts(batch, None):
            pass
        epochs = batches.epochs_file(batch[1])
        named |= {epochs.path} if epochs is not None else set()
    problems: dict[Path, str] = {}
    for path, reason in (batches.broken | batches.doubtful | _epochs_alone(batches, named)).items():
        problems[path] = f"{path.relative_to(batches.folder)} {reason}"
    problems |= study_problems(batches.folder)
    return {path: plain_files.one_line(problem) for path, problem in problems.items()}


def set_aside(results: Path, path: Path, carry: Callable[[Path, Path], object] = shutil.move) -> None:
    """Move (or copy) a file or folder of the results to the same place under `quarantine/`."""
    own = path.relative_to(results).parts
    plain_files.inside(results, *own[:-1])  # the last one may be a link: it is the link that is moved
    if plain_files.kind_of(path) != "nothing":
        plain_files.inside(results, "quarantine", *own[:-1])
        target = _free(results / "quarantine" / path.relative_to(results))
        target.parent.mkdir(parents=True, exist_ok=True)
        carry(path, target)


def _free(target: Path) -> Path:
    candidate, number = target, 1
    while plain_files.kind_of(candidate) != "nothing":
        number += 1
        candidate = target.with_name(f"{target.name}.{number}")
    return candidate


def _epochs_alone(batches: Batches, named: set[Path]) -> dict[Path, str]:
    """Return epochs files that belong to a broken trials file, and what is foreign beside them.

    Those of an append that never happened are no problem: a driver deletes them when it opens the folder.
    """
    with files.os_errors("the ledger cannot be read"):
        found, foreign = files.scan(batches.epochs_folder)
    broken = {path.name.split(".")[0] for path in batches.broken if path.parent == batches.trials_folder}
    problems = {}
    for file in found:
        if file.path not in named and file.batch in broken:
            problems[file.path] = "belongs to a trials file that is broken"
    for path in foreign:
        problems[path] = headers.strange(path)
    return problems
