"""How far the studies of a results folder are, what failed, what was spent; also while another process runs them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from orchestrator.errors import UnknownNameError
from orchestrator.ledger import Ledger
from orchestrator.ledger.lock import holder_of

__all__ = ["status"]


def status(results: Path, study: str = "") -> list[dict[str, Any]]:
    """Return one mapping a study: trials planned, complete, collapsed, pruned, failed by kind, missing, seconds spent.

    Raises:
        UnknownNameError: the study was never planned in this results folder.
    """
    with Ledger(results) as ledger:
        names = ledger.study_names()
        if study and study not in names:
            raise UnknownNameError("study in this results folder", study, names)
        rows = ledger.trials()
        holder = holder_of(results)
        return [_status(name, ledger, rows, holder) for name in ([study] if study else names)]


def _status(name: str, ledger: Ledger, rows: pd.DataFrame, holder: str) -> dict[str, Any]:
    record, plan = ledger.read_study(name)
    wanted = set(plan["trial_id"].to_pylist())
    own = rows[rows["trial_id"].isin(wanted)] if len(rows) else rows
    states = Counter(own["state"]) if len(own) else Counter()
    failed = Counter(own.loc[own["state"] == "failed", "failure_kind"]) if len(own) else Counter()
    seconds = float(own["cost.seconds"].sum()) if len(own) else 0.0
    mean = seconds / len(own) if len(own) else float("nan")
    missing = len(wanted) - len(own)
    return {
        "study": name,
        "tier": record["tier"],
        "trials": len(wanted),
        "complete": states["complete"],
        "collapsed": int(own["collapsed"].sum()) if len(own) else 0,
        "pruned": states["pruned"],
        "failed": dict(failed),
        "examples": _examples(own),
        "missing": missing,
        "seconds_spent": round(seconds, 3),
        "seconds_left": round(missing * mean, 3) if missing and len(own) else 0.0,
        "running": holder,
    }


def _examples(rows: pd.DataFrame) -> list[dict[str, str]]:
    """Return one failed trial of each kind, the latest, with the last line of its error."""
    failed = rows[rows["state"] == "failed"] if len(rows) else rows
    latest = failed.drop_duplicates("failure_kind", keep="last")
    found = []
    for trial_id, kind, error in latest[["trial_id", "failure_kind", "error"]].itertuples(index=False):
        lines = str(error or "").strip().splitlines()
        found.append({"trial_id": str(trial_id), "kind": str(kind), "error": lines[-1][:200] if lines else ""})
    return found
