"""What the live page keeps of every trial, some thirty bytes each, and of failures their texts once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.ledger.rows.following import Change
from orchestrator.ledger.schema import RANK
from orchestrator.trial import TrialState

__all__ = ["COLUMNS", "Facts", "KeptRows"]

COLUMNS = ("failure_kind", "error", "collapsed", "cost.seconds", "device", "device_name", "finished_at")
"""Of the trials table, besides trial_id, attempt and state."""

_FACTS = [("rank", "i1"), ("collapsed", "?"), ("seconds", "f8"), ("ended", "f8"), ("group", "i4"), ("device", "i4")]
_FACTS += [("order", "i8")]

Facts = npt.NDArray[Any]
"""By slot: rank of the state (0: no row), collapsed, seconds, POSIX seconds at its end (0: unknown), group of its
failure or -1, device, order of coming."""

FAILED, PRUNED, COMPLETE = (RANK[state] for state in (TrialState.FAILED, TrialState.PRUNED, TrialState.COMPLETE))

MOST_GROUPS = 2_000
"""Distinct failures whose texts are kept; what comes after those is told as one of its kind."""
MOST_TEXT = 6_000
"""Signs of a traceback that are kept, the last ones."""
MOST_LINE = 200


@dataclass
class _Group:
    kind: str
    line: str
    text: str = ""
    """The traceback of the latest one."""


@dataclass
class KeptRows:
    """Rows by slot (see `ledger.rows.following`), taken in change by change."""

    facts: Facts = field(default_factory=lambda: np.zeros(0, _FACTS))
    devices: list[str] = field(default_factory=list)
    """Names of the devices that trials were trained on; `facts["device"]` counts from 0."""
    _groups: list[_Group] = field(default_factory=list)
    _codes: dict[tuple[str, str], int] = field(default_factory=dict)
    _n_taken: int = 0

    def make_room(self, n_slots: int) -> None:
        """Have facts of at least so many slots."""
        if n_slots > len(self.facts):
            more = np.zeros(max(n_slots, 2 * len(self.facts)), _FACTS)
            more[: len(self.facts)] = self.facts
            self.facts = more

    def take(self, change: Change) -> None:
        """Take in what a look found; there is room for its slots."""
        facts, rows, slots = self.facts, change.rows, change.slots
        facts["rank"][change.gone] = 0
        states = pa.array([str(state) for state in RANK])
        ranks = np.array([*RANK.values(), 0], np.int8)
        facts["rank"][slots] = ranks[pc.index_in(rows["state"], value_set=states).fill_null(len(RANK)).to_numpy()]
        facts["collapsed"][slots] = rows["collapsed"].fill_null(False).to_numpy()
        facts["seconds"][slots] = np.nan_to_num(rows["cost.seconds"].fill_null(0.0).to_numpy(), posinf=0.0, neginf=0.0)
        facts["ended"][slots] = rows["finished_at"].cast(pa.int64()).fill_null(0).to_numpy() / 1e6
        facts["device"][slots] = self._device_codes(rows)
        facts["order"][slots] = self._n_taken + np.arange(len(slots))
        self._n_taken += len(slots)
        facts["group"][slots] = -1
        failed = np.flatnonzero(facts["rank"][slots] == FAILED)
        texts = rows.select(["failure_kind", "error"]).take(failed).to_pylist()
        for slot, row in zip(slots[failed].tolist(), texts, strict=True):
            facts["group"][slot] = self._group(str(row["failure_kind"] or ""), str(row["error"] or ""))

    def kinds(self, own: Facts) -> dict[str, int]:
        """Return how many of these trials failed, by kind, in the order in which the kinds first came."""
        counts: dict[str, int] = {}
        for code, n_failed in self._failed(own):
            kind = self._groups[code].kind
            counts[kind] = counts.get(kind, 0) + n_failed
        return counts

    def failures(self, slots: npt.NDArray[np.int64], own: Facts, most: int) -> list[dict[str, Any]]:
        """Return the most frequent failures of some trials: kind, last line, count, slot of the latest, a traceback.

        The traceback is that of the latest trial of the folder that failed so.

        Args:
            slots: of the trials.
            own: their facts.
            most: so many.
        """
        frequent = sorted(self._failed(own), key=lambda one: -one[1])[:most]
        return [self._told(code, count, slots, own) for code, count in frequent]

    def seconds_by_device(self, since: float = 0.0) -> Mapping[str, tuple[int, float]]:
        """Return, for each device, how many trials ended on it, and in how many seconds of theirs.

        Args:
            since: POSIX seconds before which they do not count.
        """
        there = self.facts[(self.facts["rank"] > 0) & (self.facts["ended"] >= since)]
        counts = np.bincount(there["device"], minlength=len(self.devices))
        seconds = np.bincount(there["device"], there["seconds"], minlength=len(self.devices))
        return {name: (int(counts[code]), float(seconds[code])) for code, name in enumerate(self.devices)}

    def _told(self, code: int, count: int, slots: npt.NDArray[np.int64], own: Facts) -> dict[str, Any]:
        group, mine = self._groups[code], np.flatnonzero((own["rank"] == FAILED) & (own["group"] == code))
        latest = mine[np.argmax(own["order"][mine])]
        return {
            "kind": group.kind,
            "line": group.line,
            "count": count,
            "slot": int(slots[latest]),
            "text": group.text,
        }

    def _failed(self, own: Facts) -> Sequence[tuple[int, int]]:
        codes, counts = np.unique(own["group"][own["rank"] == FAILED], return_counts=True)
        return list(zip(codes.tolist(), counts.tolist(), strict=True))

    def _group(self, kind: str, error: str) -> int:
        lines = error.strip().splitlines()
        line = lines[-1][:MOST_LINE] if lines else ""
        if len(self._groups) >= MOST_GROUPS and (kind, line) not in self._codes:
            line = "(too many different errors to tell each)"
        code = self._codes.setdefault((kind, line), len(self._groups))
        if code == len(self._groups):
            self._groups.append(_Group(kind, line))
        self._groups[code].text = error.strip()[-MOST_TEXT:]
        return code

    def _device_codes(self, rows: pa.Table) -> npt.NDArray[np.int64]:
        """Return the device of each row by its place in `devices`; one without a name goes by its kind."""
        named = pc.if_else(pc.equal(rows["device_name"].fill_null(""), ""), rows["device"], rows["device_name"])
        encoded = named.fill_null("").combine_chunks().dictionary_encode()
        for name in encoded.dictionary.to_pylist():
            if name not in self.devices:
                self.devices.append(name)
        places = np.array([self.devices.index(name) for name in encoded.dictionary.to_pylist()], np.int64)
        found: npt.NDArray[np.int64] = places[encoded.indices.to_numpy()]
        return found
