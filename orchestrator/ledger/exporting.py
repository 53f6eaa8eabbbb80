"""A ledger to keep: what the studies of a results folder ask for, in one tight batch, to be read and never written.

A study that has not run to its end is left out: half an answer is not to be kept. The target holds `trials/`,
`epochs/`, `studies/<name>/` (record and plan) and `ledger.json`, which marks it as kept. The trials' rows, of which
verdicts are made, are those of the source, attempt by attempt; only absolute paths in tracebacks become file names. If
the whole is larger than allowed, learning curves are rounded to single precision, and then thinned: of each trial stay
the first and the last evaluation, the best by any metric that a study is about, the last one before the final fifth
(whether training had come to rest is judged there), and of the others, evenly, as many as fit.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.errors import RequestError
from orchestrator.ledger import files, plain_files, retractions, schema, studies
from orchestrator.ledger.rows import compaction, evaluations, streaming
from orchestrator.ledger.rows.batches import Batches, pieces, retry_while_changing
from orchestrator.ledger.rows.view import chosen, selected

__all__ = ["MARK", "Kept", "export_ledger"]

MARK = "ledger.json"
"""The file that says that a folder is a kept ledger."""

ORDER = ("method", "dataset", "config", "n_epochs", "seed_block", "seed", "trial_id", "attempt")
"""Rows that are alike lie together, which compresses; and the same rows make the same file."""

EVALUATIONS = (0, 48, 24, 16, 12, 8, 5)
"""Evaluations a trial that are tried in turn until all is small enough; 0: all."""

MARGIN_BYTES = 2**12
"""For what the files say of themselves."""

EXACT, SINGLE = "exact", "single precision"

LAST_FIFTH = 0.8

BEGINNING = "00010101T000000000000"
"""Time in the name of the one batch: before all others, and not that of the export, which would make other files."""

_FOLDERS = re.compile(r"(?<![\w.])/(?:[^\s/\"':]+/)+")
"""The folders of an absolute path."""


Study = tuple[dict[str, Any], pa.Table]
"""A study's record and plan."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What was exported; `ledger.json` holds it."""

    schema_version: int
    studies: tuple[str, ...]
    unfinished: tuple[str, ...]
    """Studies that were left out."""
    n_trials: int
    n_attempts: int
    n_evaluations: int
    curves: str
    """`exact`, or `single precision`."""
    evaluations_a_trial: int
    """0: all that there were."""
    n_bytes: int

    def sentence(self, target: Path) -> str:
        """Return what is in the exported ledger, in one line."""
        curves = f"at most about {self.evaluations_a_trial} a trial" if self.evaluations_a_trial else "all there were"
        left_out = f"; left out, because unfinished: {', '.join(self.unfinished)}" if self.unfinished else ""
        return (
            f"{len(self.studies)} studies, {self.n_trials} trials ({self.n_attempts} attempts), {self.n_evaluations} "
            f"evaluations ({self.curves}; {curves}), {self.n_bytes / 2**20:.1f} MB in {target}{left_out}"
        )


def export_ledger(results: Path, target: Path, most_bytes: int) -> Kept:
    """Write what the studies of `results` ask for into `target`, as a ledger to keep.

    Raises:
        RequestError: nothing ran to its end there, the target is something else than a kept ledger, or the trials' rows
            alone are larger than `most_bytes`.
        LedgerError: a folder cannot be read or written.
    """
    if not studies.study_names(results):
        raise RequestError(f"no study was planned in {str(results)!r}; run one first: orchestrate run --all")
    if target.exists() and any(target.iterdir()) and not (target / MARK).is_file():
        raise RequestError(f"export to {str(target)!r}: the folder holds something else than a kept ledger")
    planned = studies.read_studies(results)
    batches = Batches(results)
    with files.os_errors(f"the ledger cannot be written to {str(target)!r}"), evaluations.Shelf(target) as shelf:
        known, trials = retry_while_changing(batches, lambda: _asked_for(batches, planned, shelf))
        metrics = sorted({f"metric.{record.get('metric')}" for record, _ in known.values()})
        curves = _fitting(shelf, metrics, _fixed_bytes(known, trials), most_bytes)
        n_evaluations = _write(target, trials, curves)
        (target / retractions.FILE).unlink(missing_ok=True)
    wanted = set(trials["trial_id"].to_pylist())
    retractions.merge(target, [one for one in batches.retracted.values() if one.trial_id in wanted])
    for name, (record, plan) in known.items():
        studies.write_study(target, name, record, plan, tight=True)
    kept = Kept(
        schema_version=schema.SCHEMA_VERSION,
        studies=tuple(known),
        unfinished=tuple(sorted(planned.keys() - known.keys())),
        n_trials=len(pc.unique(trials["trial_id"])),
        n_attempts=len(trials),
        n_evaluations=n_evaluations,
        curves=_precision(results, curves),
        evaluations_a_trial=curves.most,
        n_bytes=sum(path.stat().st_size for path in target.rglob("*.*") if path.name != MARK),
    )
    text = json.dumps(asdict(kept), indent=1) + "\n"
    with files.os_errors(f"the ledger cannot be written to {str(target)!r}"):
        files.write_durably(target / MARK, text.encode())
    return kept


def _precision(results: Path, curves: _Curves) -> str:
    """Return how exact the evaluations are; those of a kept ledger are no better than it says."""
    mark = results / MARK
    before = EXACT
    if mark.is_file():
        before = str(plain_files.parsed(plain_files.read(mark, plain_files.MOST_JSON_BYTES)).get("curves", EXACT))
    return curves.precision if before == EXACT else before


def _fixed_bytes(known: Mapping[str, Study], trials: pa.Table) -> int:
    """Return the bytes of all but the evaluations."""
    n_bytes: int = files.encode(trials, tight=True).size
    for study in known.values():
        n_bytes += sum(map(len, studies.encoded(*study, tight=True).values()))
    return n_bytes


def is_finished(record: Mapping[str, Any], plan: pa.Table, attempted: Collection[str]) -> bool:
    """Return whether a study has asked for all that it will ask for, and every trial of it was attempted."""
    searched = all(len(one["history"]) >= one.get("n_configurations", 0) for one in record.get("searches", ()))
    return searched and len(plan) > 0 and set(plan["trial_id"].to_pylist()) <= set(attempted)


def _asked_for(
    batches: Batches, planned: Mapping[str, Study], shelf: evaluations.Shelf
) -> tuple[dict[str, Study], pa.Table]:
    """Return the studies that have run to their end and the rows they ask for; their evaluations go on the shelf."""
    batches.refresh()
    attempted = _attempted(batches)
    known = {name: one for name, one in planned.items() if is_finished(*one, attempted)}
    if not known:
        folder = str(batches.folder)
        raise RequestError(f"no study in {folder!r} has run to its end; go on first: orchestrate run --all")
    wanted: set[str] = set()
    for _, plan in known.values():
        wanted.update(plan["trial_id"].to_pylist())
    return known, _without_folders(_rows(batches, sorted(wanted), shelf))


def _attempted(batches: Batches) -> set[str]:
    attempted: set[str] = set()
    for table in batches.tables(batches.live()):
        attempted.update(_counting(table))
    return attempted


def _counting(rows: pa.Table) -> list[str]:
    """Return the trials of an index table that were not retracted."""
    ids: list[str] = rows.filter(pc.greater(rows["rank"], 0))["trial_id"].to_pylist()
    return ids


def _rows(batches: Batches, wanted: Sequence[str], shelf: evaluations.Shelf) -> pa.Table:
    """Return every attempt of these trials, in order, and put its evaluations on the shelf."""
    live = batches.live()
    tables = batches.tables(live)
    own = pieces(live, tables, np.sort(chosen(tables, every_attempt=True, only=wanted)))
    trials = schema.union("trials", [batches.trials(piece.batch, None, piece.wanted) for piece in own])
    trials = trials.sort_by([(name, "ascending") for name in ORDER])
    shelf.begin(trials["trial_id"], compaction.epoch_columns(batches, own))
    for part in compaction.epoch_rows(batches, own):
        shelf.add(part)
    return trials


def _without_folders(trials: pa.Table) -> pa.Table:
    errors = [_FOLDERS.sub("", error or "") for error in trials["error"].to_pylist()]
    return trials.set_column(trials.schema.get_field_index("error"), "error", pa.array(errors, pa.string()))


@dataclass(frozen=True)
class _Curves:
    """Evaluations as they are to be written."""

    tables: Callable[[], Iterator[pa.Table]]
    schema: pa.Schema
    precision: str
    most: int
    """How many a trial; 0: all."""


def _fitting(shelf: evaluations.Shelf, metrics: Sequence[str], fixed: int, most_bytes: int) -> _Curves:
    """Return the evaluations that fit beside `fixed` bytes."""
    left = most_bytes - fixed - MARGIN_BYTES
    exact = _Curves(shelf.tables, shelf.schema, EXACT, 0)
    if _size(exact, left) <= left:
        return exact
    for most in EVALUATIONS:
        thin = _Curves(partial(_thin, shelf, metrics, most), shelf.schema, SINGLE, most)
        size = _size(thin, left)
        if size <= left:
            return thin
    raise RequestError(
        f"the ledger takes {(fixed + size) / 2**20:.1f} MB with {EVALUATIONS[-1]} evaluations a trial; "
        f"allowed are {most_bytes / 2**20:.1f} MB (--most-mb)"
    )


def _thin(shelf: evaluations.Shelf, metrics: Sequence[str], most: int) -> Iterator[pa.Table]:
    for table in shelf.tables():
        rounded = _rounded(table)
        yield thinned(rounded, metrics, most) if most else rounded


def _size(curves: _Curves, left: int) -> int:
    """Return the bytes that some evaluations take, at least as soon as it is more than `left`."""
    sink = streaming.Digesting()
    for _ in streaming.encode_parts(sink, curves.tables(), curves.schema, tight=True):
        if sink.n_bytes > 2 * max(left, 0) + 2**20:  # no need to know by how much
            break
    return sink.n_bytes


def _rounded(epochs: pa.Table) -> pa.Table:
    """Return the table with its numbers as near as single precision comes; their type stays."""
    for place, field in enumerate(epochs.schema):
        if pa.types.is_floating(field.type):
            numbers = epochs[field.name].cast(pa.float32(), safe=False).cast(field.type)
            epochs = epochs.set_column(place, field, numbers)
    return epochs


def thinned(epochs: pa.Table, metrics: Sequence[str], most: int) -> pa.Table:
    """Return the evaluations that stay when a trial keeps about `most`, in order."""
    table = selected(epochs, ["trial_id", "attempt", "epoch", *metrics])
    frame = table.to_pandas()
    groups = frame.groupby(["trial_id", "attempt"], sort=False, observed=True)
    number, count = groups.cumcount().to_numpy(), groups["epoch"].transform("size").to_numpy()
    last = groups["epoch"].transform("max").to_numpy()
    spread = np.floor(number * (most - 1) / np.maximum(count - 1, 1))
    first_of_step = np.append(True, (spread[1:] != spread[:-1]) | (number[1:] == 0)) if len(frame) else spread == 0
    keep = first_of_step | (number == count - 1) | (count <= most)
    early = frame["epoch"].to_numpy() <= LAST_FIFTH * last
    following = np.append(number[1:] > 0, False) & np.append(early[1:], False) if len(frame) else early
    keep |= early & ~following
    for metric in table.column_names[3:]:
        keep |= (frame[metric] == groups[metric].transform("max")).to_numpy()
    return epochs.filter(pa.array(keep))


def _write(target: Path, trials: pa.Table, curves: _Curves) -> int:
    """Replace what an earlier export left; the mark goes first and comes last, so that half a ledger is no ledger.

    Returns:
        How many evaluations were written.
    """
    (target / MARK).unlink(missing_ok=True)
    for name in ("trials", "epochs", "studies"):
        shutil.rmtree(target / name, ignore_errors=True)
        (target / name).mkdir(parents=True)
    name = f"{BEGINNING}-{hashlib.blake2b(files.encode(trials), digest_size=3).hexdigest()}"
    made = streaming.write_parts(target / "epochs", curves.tables(), curves.schema, batch=name, tight=True)
    own = made[0].path.name if made else ""
    files.write_batch(target / "trials", trials, small=False, tight=True, batch=name, epochs=own, replaces=[])
    return made[1].n_rows if made else 0
