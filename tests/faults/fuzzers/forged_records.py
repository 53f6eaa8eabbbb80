"""Records of a study with a digest that fits, in which values somewhere are others, absent, or more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from honest import JSON, STUDY, is_sane, reports, uses
from hypothesis import strategies as st

from orchestrator.ledger import studies

CASES = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from(["set", "drop", "add"]), JSON), min_size=1, max_size=3
)
"""(which place in the record, what is done there, the value)."""


def forge(case: list[tuple[int, str, Any]], results: Path) -> None:
    """Forge the record."""
    record, plan = studies.read_study(results, STUDY)
    for number, kind, value in case:
        spots = list(places(record))
        parent, key = spots[number % len(spots)]
        if kind == "drop":
            del parent[key]
        elif kind == "add" and isinstance(parent, dict):
            parent[f"{key}_"] = value
        else:
            parent[key] = value
    for name, content in studies.encoded(record, plan, tight=False).items():
        (results / "studies" / STUDY / name).write_bytes(content)


def check(case: list[tuple[int, str, Any]], results: Path) -> None:
    """Forge the record; an answer comes of it, or one line."""
    forge(case, results)
    uses(results)
    is_sane(results)
    reports(results)


def places(value: Any) -> Any:
    """Yield (container, key) of every value in JSON."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from places(inner)
