"""Commands that look: status, one trial, doctor, export, clean. None of them trains or writes rows."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from orchestrator.errors import DataError, RequestError, UnknownNameError
from orchestrator.ledger import Ledger
from orchestrator.ledger.lock import holder_of
from orchestrator.trial import stages_of

__all__ = ["clean", "doctor", "export", "export_ledger", "export_tensorboard", "status", "trial"]

FOLLOW_SECONDS = 5.0


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


def trial(results: Path, trial_id: str) -> dict[str, Any]:
    """Return all that the results folder holds of one trial (an unambiguous beginning of its id is enough).

    One that is planned and has no attempt yet has its logs: it may be under way, and its process have died before.

    Raises:
        RequestError: no such trial, or several that begin so.
    """
    with Ledger(results) as ledger:
        planned = {name: _ids(ledger, name) for name in ledger.study_names()}
        known = set().union(ledger.trials()["trial_id"], *planned.values())
        found = [one for one in known if one.startswith(trial_id)]
        if len(found) != 1:
            raise RequestError(
                f"trial id {trial_id!r} fits {len(found)} of the {len(known)} trials in {str(results)!r}; give one "
                "trial's id, or enough of its beginning"
            )
        (whole,) = found
        attempts = _plain(ledger.attempts(whole))
        epochs = _plain(ledger.epochs([whole]))
        logs = [dataclasses.asdict(entry) for entry in ledger.logs_of(whole)]
        studies = [name for name, ids in planned.items() if whole in ids]
        again = _again(whole, ledger, studies[0], attempts) if studies else ""
    last = attempts[-1] if attempts else {}
    return {
        "trial_id": whole,
        "config": json.loads(str(last["config"])) if last else {},
        "stages": [dataclasses.asdict(stage) for stage in stages_of(last.get("stages"))],
        "attempts": attempts,
        "epochs": epochs,
        "logs": logs,
        "studies": studies,
        "train_again": again,
    }


def _again(trial_id: str, ledger: Ledger, study: str, attempts: Sequence[Mapping[str, Any]]) -> str:
    """Return the command that trains a trial again: to compare it if it is complete, else for the study's sake."""
    if any(attempt["state"] == "complete" for attempt in attempts):
        return f"orchestrate verify {study} --trial {trial_id}"
    kinds = [attempt["failure_kind"] for attempt in attempts if attempt["state"] == "failed"]
    command = str(ledger.read_study(study)[0]["command"])
    return f"{command} --retry-failed {kinds[-1]}" if kinds else command


def _ids(ledger: Ledger, study: str) -> set[str]:
    return set(ledger.read_study(study)[1]["trial_id"].to_pylist())


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as mappings without absent values."""
    return [{str(k): v for k, v in row.items() if not _absent(v)} for row in frame.to_dict("records")]


def _absent(value: object) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and value != value)  # noqa: PLR0124  NaN


def export(results: Path, study: str, target: Path) -> int:
    """Write a study's view (plan joined with the ledger) as CSV or Parquet, by the file's ending; return the rows.

    Raises:
        RequestError: another ending, or a folder that cannot be written.
    """
    if target.suffix not in (".csv", ".parquet"):
        raise RequestError(f"export to {str(target)!r}: allowed endings are .csv and .parquet")
    with Ledger(results) as ledger:
        _, plan = ledger.read_study(study)
        rows = ledger.trials()
    view = plan.to_pandas().merge(
        rows.drop(columns=[c for c in ("dataset", "method", "seed", "seed_block") if c in rows]), "left", "trial_id"
    )
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        view.to_csv(part, index=False) if target.suffix == ".csv" else view.to_parquet(part, index=False)
        part.replace(target)
    except OSError as error:
        raise RequestError(f"export to {str(target)!r} failed: {error.strerror or error}") from error
    return len(view)


def export_ledger(results: Path, target: Path, most_mb: float) -> str:
    """Write the ledger of every study into `target`, and return one line that says what is in it."""
    from orchestrator.ledger.exporting import export_ledger

    kept = export_ledger(results, target, int(most_mb * 2**20))
    curves = f"at most about {kept.evaluations_a_trial} a trial" if kept.evaluations_a_trial else "all there were"
    left_out = f"; left out, because unfinished: {', '.join(kept.unfinished)}" if kept.unfinished else ""
    return (
        f"{len(kept.studies)} studies, {kept.n_trials} trials ({kept.n_attempts} attempts), {kept.n_evaluations} "
        f"evaluations ({kept.curves}; {curves}), {kept.n_bytes / 2**20:.1f} MB in {target}{left_out}"
    )


def export_tensorboard(results: Path, study: str, target: Path, *, follow: bool) -> Iterator[str]:
    """Write a study's trials as TensorBoard runs and yield one line that says so; with `follow`, whenever some are new.

    Following ends when nobody trains here any more, or nothing is missing.
    """
    from orchestrator.ledger.tensorboard import export

    first = True
    while True:
        (standing,) = status(results, study)  # asked first: what ends meanwhile is in the export
        n_trials, n_new = export(results, study, target)
        if n_new or first:
            yield f"{n_trials} trials in {target / study} ({n_new} new); look at them: tensorboard --logdir {target}"
        first = False
        if not (follow and standing["running"] and standing["missing"]):
            return
        time.sleep(FOLLOW_SECONDS)


def clean(results: Path, *, remove: bool) -> list[dict[str, Any]]:
    """Return the disk use of each folder of the results; with `remove`, delete checkpoints and artifacts first."""
    removable = ("checkpoints", "artifacts")
    with Ledger(results, writable=remove):
        if remove:
            for name in removable:
                shutil.rmtree(results / name, ignore_errors=True)
        names = sorted(path.name for path in results.iterdir() if path.is_dir()) if results.is_dir() else []
        return [{"folder": name, "bytes": _bytes(results / name), "removable": name in removable} for name in names]


def _bytes(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):  # a run that is under way deletes files and folders meanwhile
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.stat(Path(place, name)).st_size
    return total


def doctor(results: Path, *, repair: bool, plugins: Sequence[str] = (), address: str = "") -> dict[str, Any]:
    """Return what this machine offers and what is wrong with the results folder; `repair` sets broken files aside.

    With an address, every node of that cluster is asked too, and `nodes` and `problems` say what it answered.
    """
    from orchestrator import discovery
    from orchestrator.provenance import git_commit, machine, versions

    with Ledger(results, writable=repair) as ledger:
        problems = ledger.repair() if repair else ledger.problems()
        broken = _broken_checkpoints(ledger)
        for bundle_id in broken if repair else ():
            ledger.set_bundle_aside(bundle_id)
        problems += broken.values()
        unfinished = ledger.unfinished_bundles()
    nodes: list[dict[str, Any]] = []
    if address:
        from orchestrator.executors.ray_tune.inspection import inspect_nodes, problems_of

        nodes = inspect_nodes(address, results, discovery.names("dataset"))
        problems = [*problems, *problems_of(nodes, versions())]
    return {
        **({"nodes": nodes} if address else {}),
        "machine": machine(),
        "versions": versions(),
        "git_commit": git_commit(),
        "datasets": {
            name: _presence(discovery.find("dataset", name, plugins)) for name in discovery.names("dataset", plugins)
        },
        "results": str(results),
        "running": holder_of(results),
        "unfinished_bundles": len(unfinished),
        "problems": problems,
        "repaired": repair,
    }


def _broken_checkpoints(ledger: Ledger) -> dict[str, str]:
    """Return bundle_id -> one line for each checkpoint that a run could not go on from."""
    found = {}
    for bundle_id in ledger.unfinished_bundles():
        from trainables.training import checkpoints  # brings torch

        try:
            checkpoints.read(ledger.checkpoint_folder(bundle_id))
            if not ledger.members_of(bundle_id):
                found[bundle_id] = f"checkpoints/{bundle_id} does not say whose it is"
        except DataError as error:
            found[bundle_id] = " ".join(str(error).split())
    return found


def _presence(module: Any) -> str:
    """Return whether a dataset can be loaded now, or the command that brings it."""
    check = getattr(module, "absent", None)
    return str(check()) if check is not None and check() else "present"


def lines(found: Mapping[str, Any], indent: str = "") -> list[str]:
    """Return nested mappings as indented `key: value` lines."""
    text: list[str] = []
    for key, value in found.items():
        if isinstance(value, Mapping):
            text += [f"{indent}{key}:", *lines(value, indent + "  ")]
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            text.append(f"{indent}{key}:")
            for one in value:
                text += [*lines(one, indent + "  "), ""]
        elif isinstance(value, list):
            text += [f"{indent}{key}: {'none' if not value else ''}", *(f"{indent}  {one}" for one in value)]
        else:
            text.append(f"{indent}{key}: {value}")
    return text
