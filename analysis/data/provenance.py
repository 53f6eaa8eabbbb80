"""What a report says of its origin: code, versions, data, machines, cost, failures; read from the ledger's rows."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any

import pandas as pd

from analysis.data.study_view import StudyView
from analysis.number_format import join
from orchestrator.trial import Stage, stages_of

__all__ = ["content_digest", "cost_rows", "facts", "failure_rows"]


def content_digest(study: StudyView) -> str:
    """Return the digest of everything that the answer depends on: record, plan and ledger rows."""
    return study.once("content_digest", lambda: _content_digest(study))


def _content_digest(study: StudyView) -> str:
    found = hashlib.blake2b(digest_size=10)
    record = json.dumps(dict(study.record), sort_keys=True, separators=(",", ":"))  # an objective may be NaN
    found.update(record.encode())
    found.update(study.rows.to_json(orient="split", date_unit="us", double_precision=15).encode())
    return found.hexdigest()


def facts(study: StudyView) -> list[tuple[str, str]]:
    """Return (what, value) lines for the report: data, code, versions, machines, times."""
    trained = study.rows[study.rows["state"] != "missing"].drop_duplicates("trial_id")
    record = study.record
    lines = [
        ("study written", str(record.get("created_at", ""))),
        ("commit of the checkout", _values(trained, "git_commit") or str(record.get("git_commit") or "installed")),
        ("code of the methods (digest)", _pairs(trained, "method", "code_digest")),
        ("version of the methods", _pairs(trained, "method", "method_version")),
        ("datasets (digest)", _pairs(trained, "dataset", "dataset_digest")),
        ("protocol", str(record.get("protocol", ""))),
        ("epochs", _values(trained, "n_epochs")),
        ("device, threads", f"{_values(trained, 'device')}, {_values(trained, 'threads')}"),
        ("precision", _values(trained, "precision")),
        ("made once, shared by trials", _stages(trained)),
        ("members of bundles trained again alone", _checks(record)),
        ("versions", _versions(trained, record)),
        ("ledger content (digest)", content_digest(study)),
    ]
    return [(what, value) for what, value in lines if value]


def _checks(record: Any) -> str:
    equal = [check["equal"] for check in record.get("equivalence", {}).get("checks", ())]
    return f"{len(equal)}, of which {sum(equal)} gave the same numbers" if equal else ""


def _values(rows: pd.DataFrame, column: str) -> str:
    if column not in rows:
        return ""
    texts = set(map(_text, rows[column].dropna().unique()))
    return ", ".join(sorted(texts - {""}))


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _stages(rows: pd.DataFrame) -> str:
    """Return each stage with its key and how many trials build on it."""
    counts: Counter[Stage] = Counter()
    for text in rows.get("stages", ()):
        counts.update(stages_of(text))
    said = []
    for stage, n in counts.items():
        drawn = ", made with a seed" if stage.drawn else ""
        said.append(f"{stage.name} {stage.key} ({n} trials{drawn})")
    return ", ".join(sorted(said))


def _pairs(rows: pd.DataFrame, name: str, column: str) -> str:
    if column not in rows:
        return ""
    pairs = rows[[name, column]].dropna().drop_duplicates().itertuples(index=False)
    return ", ".join(f"{one} {_text(two)}" for one, two in pairs)


def _versions(rows: pd.DataFrame, record: Any) -> str:
    found = dict(record.get("versions") or {})
    for text in rows["versions"].dropna().unique() if "versions" in rows else ():
        found |= json.loads(text or "{}")
    return ", ".join(f"{package} {version}" for package, version in sorted(found.items()))


def cost_rows(study: StudyView) -> list[list[str]]:
    """Return one line per method and phase: trials, seconds a trial, in all, GPU time, largest memory."""
    trained = study.rows[study.rows["state"] != "missing"].drop_duplicates("trial_id")
    lines = []
    for (phase, method), rows in trained.groupby(["phase", "method"], sort=False, observed=True):
        seconds = rows["cost.seconds"]
        memory = rows["cost.peak_memory_bytes"].max() / 2**20
        lines.append(
            [
                str(phase),
                str(method),
                str(len(rows)),
                f"{seconds.median():.3g}",
                f"{seconds.sum():.4g}",
                f"{rows['cost.gpu_seconds'].fillna(0).sum():.4g}",
                "–" if pd.isna(memory) else f"{memory:.0f}",
            ]
        )
    return lines


COST_HEAD = (
    "phase",
    "method",
    "trials",
    "seconds a trial (median)",
    "seconds in all",
    "GPU seconds",
    "MiB a trial (most)",
)


def failure_rows(study: StudyView, most: int = 20) -> list[list[str]]:
    """Return arm, seed, kind and the last line of the error of failed trials, at most `most`."""
    failed = study.rows[study.rows["state"] == "failed"]
    lines = []
    for arm, seed, kind, error in failed.head(most)[["arm", "seed", "failure_kind", "error"]].itertuples(index=False):
        lines.append([str(arm), str(seed), str(kind), str(error).strip().split("\n")[-1][:160]])
    return lines


def summary(study: StudyView) -> str:
    """Return one line: how many trials of which state, and the time they took."""
    rows = study.rows.drop_duplicates("trial_id")
    states = rows["state"].value_counts()
    parts = [f"{count} {state}" for state, count in states.items()]
    collapsed = int(rows["collapsed"].sum())
    seconds = float(rows["cost.seconds"].fillna(0).sum())
    gone = f", {collapsed} of the complete ones collapsed" if collapsed else ""
    took = f"{seconds:,.0f}" if seconds >= 1000 else f"{seconds:.3g}"
    return f"{len(rows)} trials: {join(parts)}{gone}; {took} s of training."
