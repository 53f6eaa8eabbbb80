"""Trials that somebody retracted, with the reason: `retracted.jsonl`, a line each; their rows count as nothing.

A line names a trial and the last attempt that it is about. Attempts up to that one are no hits, make no mean and stand
in no test; `trials(view=False)` still shows them. What is trained after that is a new attempt, which counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.errors import LedgerError, RequestError
from orchestrator.ledger import files, plain_files

__all__ = ["FILE", "Retraction", "add", "masked", "merge", "read"]

FILE = "retracted.jsonl"

MOST_SIGNS = 500
"""Of a reason."""

_ID = re.compile(r"[0-9a-f]{20}")


@dataclass(frozen=True)
class Retraction:
    """One retracted trial."""

    trial_id: str
    up_to: int
    """The last attempt that is retracted."""
    reason: str
    at: str


def read(results: Path) -> dict[str, Retraction]:
    """Return trial_id -> what was retracted of it; of two lines about one trial the one about more attempts counts.

    Raises:
        LedgerError: the file cannot be read, or holds what is no retraction; nothing of it is guessed.
    """
    path = plain_files.inside(results, FILE)
    with files.os_errors(f"{str(path)!r} cannot be read"):
        try:
            lines = plain_files.read(path, plain_files.MOST_JSON_BYTES).splitlines()
        except FileNotFoundError:
            return {}
    found: dict[str, Retraction] = {}
    for number, line in enumerate(lines, start=1):
        try:
            one = _checked(Retraction(**plain_files.parsed(line)))
        except (ValueError, TypeError) as error:
            why = plain_files.one_line(str(error))[:100]
            raise LedgerError(
                f"{str(path)!r} holds no retraction in line {number} ({why}); mend or remove it"
            ) from None
        known = found.get(one.trial_id)
        if known is None or one.up_to >= known.up_to:
            found[one.trial_id] = one
    return found


def add(results: Path, attempts: Mapping[str, int], reason: str) -> None:
    """Retract trials; durable on return.

    Args:
        results: the results folder.
        attempts: trial_id -> the last attempt that it has.
        reason: why, in a line.

    Raises:
        RequestError: the reason is empty, too long, or has signs that are not printed.
        LedgerError: the file cannot be written.
    """
    words = " ".join(reason.split())
    if not words or len(words) > MOST_SIGNS or not words.isprintable():
        raise RequestError(f"reason {reason[:80]!r}: a retraction says why, in 1 to {MOST_SIGNS} printed signs")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    merge(results, [Retraction(trial_id, up_to, words, at) for trial_id, up_to in sorted(attempts.items())])


def merge(results: Path, more: Iterable[Retraction]) -> None:
    """Write retractions beside those that are there, if they are new."""
    known = read(results)
    new = {}
    for one in more:
        if one.trial_id not in known or known[one.trial_id].up_to < one.up_to:
            new[one.trial_id] = one
    if new:
        lines = [json.dumps(asdict(one), sort_keys=True) for one in (known | new).values()]
        path = plain_files.inside(results, FILE)
        with files.os_errors(f"{str(path)!r} cannot be written"):
            files.write_durably(path, ("\n".join(lines) + "\n").encode())


def masked(rows: pa.Table, retracted: Mapping[str, Retraction]) -> pa.Table:
    """Return an index table in which retracted attempts have rank 0: they are known, and count as nothing."""
    ids = pa.array(list(retracted), pa.string())
    places = np.flatnonzero(pc.is_in(rows["trial_id"], value_set=ids).to_numpy())
    if not len(places):
        return rows
    own = rows.take(places)
    last = np.array([retracted[trial_id].up_to for trial_id in own["trial_id"].to_pylist()])
    ranks = rows["rank"].to_numpy().copy()
    ranks[places[own["attempt"].to_numpy() <= last]] = 0
    return rows.set_column(rows.column_names.index("rank"), "rank", pa.array(ranks))


def _checked(one: Retraction) -> Retraction:
    if not (isinstance(one.trial_id, str) and _ID.fullmatch(one.trial_id)):
        raise ValueError(f"trial_id {str(one.trial_id)[:80]!r}")
    if type(one.up_to) is not int or not 1 <= one.up_to < 2**20:
        raise ValueError(f"up_to {str(one.up_to)[:80]!r}")
    for text in (one.reason, one.at):
        if not isinstance(text, str) or len(text) > MOST_SIGNS or not text.isprintable():
            raise ValueError(f"text {str(text)[:80]!r}")
    return one
