"""How far the studies of a results folder are, what failed, what was spent; also while another process runs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.errors import UnknownNameError
from orchestrator.ledger import Ledger
from orchestrator.ledger.lock import announcement_of, holder_of
from orchestrator.ledger.studies import Brief

__all__ = ["status"]

MOST_TRIALS = 10**9

COLUMNS = ("trial_id", "state", "failure_kind", "error", "collapsed", "cost.seconds")


def status(results: Path, study: str = "") -> list[dict[str, Any]]:
    """Return one mapping a study: trials planned, complete, collapsed, pruned, failed by kind, missing, seconds spent.

    Raises:
        UnknownNameError: the study was never planned in this results folder.
    """
    with Ledger(results) as ledger:
        names = ledger.studies.names()
        if study and study not in names:
            raise UnknownNameError("study in this results folder", study, names)
        retracted = ledger.retracted()
        planned = {name: ledger.studies.brief(name) for name in ([study] if study else names)}
        wanted: set[str] = set()
        for brief in planned.values():
            wanted.update(brief.trial_ids.to_pylist())
        rows = ledger.table(only=wanted, columns=COLUMNS)
        holder = holder_of(results)
        announced = announcement_of(results)
    found = []
    for name, brief in planned.items():
        line = _status(name, brief, rows, holder, _announced(announced, name))
        line["retracted"] = len(retracted.keys() & set(brief.trial_ids.to_pylist())) if retracted else 0
        found.append(line)
    return found


def _announced(claim: Mapping[str, Any], name: str) -> int:
    """Return how many trials the driver of the folder is about to ask for, if it runs this study; 0: nobody says."""
    n_trials = claim.get("n_trials") if claim.get("study") == name else None
    return n_trials if type(n_trials) is int and 0 < n_trials <= MOST_TRIALS else 0


def _status(name: str, brief: Brief, rows: pa.Table, holder: str, announced: int) -> dict[str, Any]:
    wanted = brief.trial_ids.unique()
    own = rows.filter(pc.is_in(rows["trial_id"], value_set=wanted))
    states = Counter(own["state"].to_pylist())
    failed = own.filter(pc.equal(own["state"], "failed"))
    seconds = float(pc.sum(own["cost.seconds"]).as_py() or 0.0)
    n_trials = max(len(wanted), announced)  # a search asks for its trials as it goes, and the arms come after it
    missing = n_trials - len(own)
    return {
        "study": name,
        "tier": brief.tier,
        "trials": n_trials,
        "complete": states["complete"],
        "collapsed": int(pc.sum(own["collapsed"]).as_py() or 0),
        "pruned": states["pruned"],
        "failed": dict(Counter(failed["failure_kind"].to_pylist())),
        "examples": _examples(failed),
        "missing": missing,
        "seconds_spent": round(seconds, 3),
        "seconds_left": round(missing * seconds / len(own), 3) if missing and len(own) else 0.0,
        "running": holder,
    }


def _examples(failed: pa.Table) -> list[dict[str, str]]:
    """Return one failed trial of each kind, the latest, with the last line of its error."""
    latest = {row["failure_kind"]: row for row in failed.to_pylist()}
    found = []
    for kind, row in latest.items():
        lines = str(row["error"] or "").strip().splitlines()
        last = lines[-1][:200] if lines else ""
        found.append({"trial_id": str(row["trial_id"]), "kind": str(kind), "error": last})
    return found
