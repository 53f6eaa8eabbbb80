"""The resumable state of bundles that are not finished: `checkpoints/<bundle_id>/` of a results folder."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

from orchestrator.ledger import doctor, files, plain_files
from orchestrator.trial import MEMBERS_FILE, digest

__all__ = ["Checkpoints"]


class Checkpoints:
    """The checkpoint folders of a results folder.

    Args:
        results: the results folder.
        require_lock: raises LedgerError unless this process may write to the folder.
    """

    def __init__(self, results: Path, require_lock: Callable[[], None]) -> None:
        self._results, self._require_lock = results, require_lock

    def folder(self, bundle_id: str) -> Path:
        """Return where a bundle's resumable state lies; this call does not make the folder."""
        return plain_files.inside(self._results, "checkpoints", bundle_id)

    def unfinished(self) -> list[str]:
        """Return the bundle_ids that have something in their checkpoint folder, the one last written to first."""
        written: dict[str, int] = {}
        """Bundle -> the time of the last write to one of its files, in nanoseconds."""
        with files.os_errors("the ledger cannot be read"):
            for folder in plain_files.folders(plain_files.inside(self._results, "checkpoints")):
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # a worker may be deleting it
                    for path in folder.iterdir():
                        if not path.name.startswith("."):
                            written[folder.name] = max(written.get(folder.name, 0), path.lstat().st_mtime_ns)
        return sorted(written, key=lambda bundle_id: (written[bundle_id], bundle_id), reverse=True)

    def members(self, bundle_id: str) -> list[str]:
        """Return the ordered trial_ids of a bundle that left a checkpoint; the list is empty if they are not known."""
        try:
            content = plain_files.read(self.folder(bundle_id) / MEMBERS_FILE, plain_files.MOST_JSON_BYTES)
            members = plain_files.parsed(content)
            return members if isinstance(members, list) and digest(members) == bundle_id else []
        except (OSError, ValueError):
            return []

    def forget(self, bundle_id: str) -> None:
        """Delete the checkpoints of a bundle that is finished."""
        self._require_lock()
        with files.os_errors(f"checkpoints of bundle {bundle_id} cannot be deleted"):
            folder = self.folder(bundle_id)
            if folder.exists():
                shutil.rmtree(folder)

    def set_aside(self, bundle_id: str) -> None:
        """Move the checkpoint of a bundle, which cannot be used, to `quarantine/`."""
        self._require_lock()
        with files.os_errors(f"checkpoints of bundle {bundle_id} cannot be set aside"):
            doctor.set_aside(self._results, self.folder(bundle_id))
