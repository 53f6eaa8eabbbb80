"""Whether a table's columns and values are such as this program writes: what is not is named, and never used.

Ids become names of files, states and blocks become members of an enumeration, JSON becomes a configuration: whoever
made a folder chose them. The checks are over whole columns, and of long texts over the different ones only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.errors import RequestError
from orchestrator.ledger import plain_files
from orchestrator.ledger.schema import TABLES
from orchestrator.plateau import StopRule
from orchestrator.trial import PRECISIONS, FailureKind, SeedBlock, TrialState, stages_of

__all__ = ["ID_LENGTH", "are_ids", "wrong_columns", "wrong_values"]

ID_LENGTH = 20
"""Hex digits of a trial_id."""

_HEX = np.zeros(256, bool)
_HEX[list(b"0123456789abcdef")] = True

PLAN_TYPES = {
    **dict.fromkeys(
        ("trial_id", "arm", "factor", "level", "role", "phase", "dataset", "method", "seed_block"), pa.string()
    ),
    "seed": pa.int64(),
    "configuration": pa.int64(),
}

_KNOB_TYPES = (pa.bool_(), pa.int64(), pa.float64(), pa.string())

WORDS = {
    "state": list(map(str, TrialState)),
    "seed_block": list(map(str, SeedBlock)),
    "failure_kind": ["", *map(str, FailureKind)],
    "precision": list(PRECISIONS),
    "protocol": ["whole", "split"],
}
"""Column -> the words that it may hold."""

LEAST = {"attempt": 1, "seed": 0, "n_epochs": 0, "epoch": 0, "method_version": 0}
"""Column of whole numbers without gaps -> the smallest one."""

MOST = {"attempt": 2**20}
"""The largest one; of the others what a float64 still counts."""

COUNTS = 2**53

LATEST = 7_258_118_400 * 10**6
"""Microseconds to the year 2200: what a calendar of Python, of pandas and of a spreadsheet can show."""

MOST_SIGNS = 300
"""Of the name of a column."""

_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"


def wrong_columns(table: str, schema: pa.Schema) -> str:
    """Return what is wrong with a table's columns, in a phrase that follows its file's name; empty: nothing.

    Unknown columns are not wrong: they are left out.
    """
    names = sorted(schema.names)
    for name, following in pairwise(names):
        if name == following:
            return f"holds column {name!r} more than once"
    for field in schema:
        allowed = _types(table, field.name)
        if allowed and field.type not in allowed:
            return f"holds column {field.name!r} as {field.type}; it is {' or '.join(map(str, allowed))}"
    for name in schema.names:
        if len(name) > MOST_SIGNS or not name.isprintable():
            return f"holds a column under a name that is none: {name[:80]!r}"
    needed = {"trials": ("trial_id", "attempt", "state"), "epochs": ("trial_id", "attempt", "epoch")}
    for name in needed.get(table, ("trial_id",)):
        if name not in names:
            return f"holds no column {name!r}"
    return ""


def wrong_values(rows: pa.Table) -> str:
    """Return what is wrong with the values of the columns that are there; empty: nothing."""
    try:
        rows.validate(full=True)
    except pa.ArrowInvalid:
        return "is damaged: a column does not hold what it says"
    for field in rows.schema:
        column = rows[field.name]
        found = _wrong(field.name, column) or (_wrong_text(field.name, column))
        if found:
            return found
    return ""


def are_ids(column: pa.ChunkedArray | pa.Array) -> bool:
    """Return whether every value is an id: 20 hex digits."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return all(_are_ids(chunk) for chunk in chunks if len(chunk))


def _are_ids(chunk: pa.Array) -> bool:
    if chunk.null_count:
        return False
    _, offsets, content = chunk.buffers()
    places = np.frombuffer(offsets, np.int32, len(chunk) + 1, chunk.offset * 4)
    if (np.diff(places) != ID_LENGTH).any():
        return False
    return bool(_HEX[np.frombuffer(content, np.uint8)[places[0] : places[-1]]].all())


def _types(table: str, name: str) -> tuple[pa.DataType, ...]:
    """Return the types that a column may have; none: it is not known."""
    if table == "plan":
        return (PLAN_TYPES[name],) if name in PLAN_TYPES else ()
    for column in TABLES[table]:
        if column.name == name or (column.prefix and name.startswith(column.prefix)):
            return _KNOB_TYPES if column.type is None else (column.type,)
    return ()


def _wrong(name: str, column: pa.ChunkedArray) -> str:
    """Return what is wrong with a column that has a rule of its own."""
    if name == "trial_id":
        return "" if are_ids(column) else f"holds a trial_id that is none: {ID_LENGTH} hex digits"
    if name in WORDS:
        strange = _distinct(column, WORDS[name])
        return f"holds the {name} {strange[0]!r}; there are: {', '.join(WORDS[name])}" if strange else ""
    if name in LEAST:
        ends = pc.min_max(column)
        low, high = ends["min"].as_py(), ends["max"].as_py()
        gap = bool(column.null_count) or (low is not None and not LEAST[name] <= low <= high <= MOST.get(name, COUNTS))
        return f"holds a {name} that is none: a whole number from {LEAST[name]}" if gap else ""
    if pa.types.is_timestamp(column.type):
        low, high = pc.min_max(column.cast(pa.int64())).values()
        inside = not low.is_valid or 0 <= low.as_py() <= high.as_py() <= LATEST
        return "" if inside else f"holds a {name} outside 1970 to 2200"
    return _wrong_json(name, column) if name in JSON else ""


def _wrong_text(name: str, column: pa.ChunkedArray) -> str:
    ruled = name in WORDS or name in ("trial_id", "error")  # an error is a traceback, as it was printed
    if ruled or column.type != pa.string():
        return ""
    strange = pc.any(pc.match_substring_regex(column.unique(), _CONTROL)).as_py()
    return f"holds control characters in column {name!r}" if strange else ""


def _wrong_json(name: str, column: pa.ChunkedArray) -> str:
    for text in column.unique().to_pylist():
        try:
            JSON[name](text)
        except (ValueError, TypeError, AttributeError, RecursionError, RequestError) as error:
            return f"holds a {name} that is none: {str(text)[:80]!r} ({' '.join(str(error).split())[:80]})"
    return ""


def _config(text: str | None) -> None:
    found = plain_files.parsed((text or "").encode())
    if not isinstance(found, dict):
        raise ValueError("is no object")
    for value in found.values():
        if isinstance(value, dict):
            raise ValueError("a value is an object")


def _versions(text: str | None) -> None:
    found = plain_files.parsed(text.encode()) if text else {}
    if not isinstance(found, dict) or not set(map(type, found.values())) <= {str}:
        raise ValueError("is no object of texts")


def _stages(text: str | None) -> None:
    for stage in stages_of(text):
        if not (isinstance(stage.name, str) and isinstance(stage.key, str) and isinstance(stage.drawn, bool)):
            raise ValueError("is no stage")


def _stop(text: str | None) -> None:
    if text:
        StopRule.read(text)


JSON: Mapping[str, Callable[[str | None], Any]] = {
    "config": _config,
    "versions": _versions,
    "stages": _stages,
    "stop": _stop,
}
"""Column of JSON -> what refuses a text."""


def _distinct(column: pa.ChunkedArray, allowed: list[str]) -> list[object]:
    """Return different values that are not allowed; an absent one counts as empty."""
    found = column.unique().to_pylist()
    return [value for value in found if ("" if value is None else value) not in allowed]
