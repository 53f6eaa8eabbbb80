"""What probes measured, and how large the bundles of a study are: small JSON files, each written durably.

    profiles/<hash>.json            a profile of a program on a kind of device (`orchestrator.bundles.profile.Profile`)
    profiles/<hash>.memory.json     the smallest bundle that memory ran out for
    studies/<name>/bundles.json     program -> largest bundle, as it was when the study's bundles were first cut

The last one is why a study that goes on cuts the same bundles as before, whatever has been measured meanwhile.
A file that is absent or damaged means that nothing is known; it is measured or decided anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.ledger import files, plain_files
from orchestrator.ledger.studies import study_folder
from orchestrator.trial import digest

__all__ = ["read_limits", "read_memory", "read_profile", "remember_memory", "write_limits", "write_profile"]

MOST = 2**40
"""Members of a bundle, at most."""


def read_profile(results: Path, key: str) -> dict[str, Any]:
    """Return the profile under a key as JSON; empty: none."""
    return _read(_path(results, key, "json"), key)


def write_profile(results: Path, key: str, profile: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Keep a profile, with facts about where and when it was measured."""
    _write(_path(results, key, "json"), {**profile, "key": key, "facts": dict(facts)})


def read_memory(results: Path, key: str) -> int:
    """Return the smallest bundle that memory ran out for; 0: none is known."""
    return _counts(_read(_path(results, key, "memory.json"), key)).get("out_of_memory", 0)


def remember_memory(results: Path, key: str, members: int, facts: Mapping[str, Any]) -> None:
    """Keep that memory ran out for a bundle of `members`, unless it did for a smaller one."""
    known = read_memory(results, key)
    if not known or members < known:
        _write(_path(results, key, "memory.json"), {"out_of_memory": members, "key": key, "facts": dict(facts)})


def read_limits(results: Path, study: str) -> dict[str, int]:
    """Return program -> largest bundle of a study; empty: its bundles were never cut here."""
    found = _read(study_folder(results, study) / "bundles.json", None)
    return _counts(found.get("limits", {}))


def write_limits(results: Path, study: str, limits: Mapping[str, int]) -> None:
    """Keep program -> largest bundle of a study."""
    _write(study_folder(results, study) / "bundles.json", {"limits": dict(limits)})


def _path(results: Path, key: str, ending: str) -> Path:
    return plain_files.inside(results, "profiles", f"{digest(key)}.{ending}")


def _read(path: Path, key: str | None) -> dict[str, Any]:
    try:
        content = plain_files.parsed(plain_files.read(path, plain_files.MOST_JSON_BYTES))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) and (key is None or content.get("key") == key) else {}


def _counts(found: object) -> dict[str, int]:
    """Return the whole numbers from 1 in a mapping: whatever else somebody put there is not known."""
    pairs = found.items() if isinstance(found, dict) else ()
    return {key: value for key, value in pairs if type(value) is int and 0 < value < MOST}


def _write(path: Path, content: Mapping[str, Any]) -> None:
    with files.os_errors(f"{str(path)!r} cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_durably(path, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())
