"""The small texts of a results folder: looks, retractions, the lock, what probes measured, logs, bundle limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from honest import JSON, STUDY, TRIAL, is_sane, uses
from hypothesis import strategies as st

from orchestrator.ledger import Ledger, profiles
from orchestrator.ledger.lock import holder_of

PLACES = (
    f"studies/{STUDY}/looks.jsonl",
    f"studies/{STUDY}/bundles.json",
    "retracted.jsonl",
    "lock",
    "profiles/a.json",
    f"logs/{'a' * 20}.log",
    f"checkpoints/{'a' * 20}/members.json",
)
LINES = st.one_of(
    JSON.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({}, optional={"at": JSON, "n_seeds": JSON, "trial_id": st.just(TRIAL) | JSON, "up_to": JSON})
    .map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=60),
    st.just(b"[" * 5_000),
    st.text(max_size=40).map(lambda text: f"=== {text} | {text} | {'a' * 20}".encode(errors="replace")),
)  # fmt: skip
CASES = st.lists(st.tuples(st.sampled_from(PLACES), st.lists(LINES, max_size=3)), min_size=1, max_size=3)
"""(file, its lines)."""


def forge(case: list[tuple[str, list[bytes]]], results: Path) -> None:
    """Write the files."""
    for name, lines in case:
        path = results / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\n".join(lines))


def check(case: list[tuple[str, list[bytes]]], results: Path) -> None:
    """Write the files; each is read as what it may hold, left out, or named in one line."""
    forge(case, results)
    said: list[Any] = [holder_of(results), profiles.read_limits(results, STUDY), profiles.read_memory(results, "a")]
    assert str(said[0]).isprintable()
    Ledger(results).logs.of("a" * 20)
    Ledger(results).checkpoints.members("a" * 20)
    uses(results, patient=False)
    is_sane(results)
