"""Ways to break the files of a ledger, and what is then said: tables of kind -> (damage, phrase)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.ledger import SCHEMA_VERSION, Ledger, files, schema
from orchestrator.trial import TrialOutcome, TrialSpec, TrialState

NAME = f"20200101T000000000000-abcdef.{'0' * 32}.parquet"


def outcome(seed: int) -> TrialOutcome:
    spec = TrialSpec(method="m", method_version=1, config={"lr": 0.1}, dataset="d", dataset_digest="x", seed=seed)
    return TrialOutcome(spec=spec, attempt=1, state=TrialState.COMPLETE, metrics={"acc": 0.5})


def epochs(seed: int) -> pa.Table:
    return pa.table({"trial_id": [outcome(seed).spec.trial_id] * 2, "attempt": [1, 1], "epoch": [1, 2]})


def first(results: Path, table: str = "trials") -> Path:
    return min((results / table).glob("*.parquet"))


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def rename(path: Path, name: str) -> None:
    path.rename(path.with_name(name))


def swap(results: Path) -> None:
    one, two = sorted((results / "trials").glob("*.parquet"))
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)


def with_column(results: Path, table: str, name: str) -> None:
    """Write a batch as a fork of this program would: well-formed, with one column more."""
    batch, rows = files.new_batch(), schema.trials_table([outcome(2)])
    more = {"trials": rows, "epochs": schema.epochs_table(epochs(2))}
    more[table] = more[table].append_column(name, pa.array([7] * len(more[table])))
    beside, _ = files.write_batch(results / "epochs", more["epochs"], small=True, batch=batch)
    facts = {"epochs": beside.path.name, "replaces": []}
    files.write_batch(results / "trials", more["trials"], small=True, batch=batch, **facts)


def link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def size(path: Path) -> int:
    return path.stat().st_size


TRIALS = {
    "cut in the footer": (lambda r: cut(first(r), size(first(r)) - 3), "is cut short"),
    "cut in the middle": (lambda r: cut(first(r), size(first(r)) // 2), "is cut short"),
    "cut to nothing": (lambda r: cut(first(r), 0), "is empty"),
    "filled with zeros": (lambda r: first(r).write_bytes(bytes(size(first(r)))), "is no Parquet file"),
    "byte flipped in the magic": (lambda r: flip(first(r), 1), "is no Parquet file"),
    "byte flipped in a page": (lambda r: flip(first(r), 200), "changed after it was written"),
    "byte flipped in the schema": (lambda r: flip(first(r), size(first(r)) - 2000), "changed|damaged"),
    "byte flipped in the footer's length": (lambda r: flip(first(r), size(first(r)) - 7), "damaged"),
    "bytes appended": (lambda r: first(r).write_bytes(first(r).read_bytes() + b"more"), "is cut short"),
    "written anew by pandas": (lambda r: pd.read_parquet(first(r)).to_parquet(first(r)), "changed after it was"),
    "renamed to another batch": (lambda r: rename(first(r), NAME[:28] + first(r).name[28:]), "renamed"),
    "renamed to another digest": (lambda r: rename(first(r), f"{first(r).name[:29]}{'0' * 32}.parquet"), "changed"),
    "a loop of links in its place": (lambda r: link_to_itself(first(r)), "is a link, which is not followed"),
}


EPOCHS = {
    "cut short": (lambda r: cut(first(r, "epochs"), 99), "is cut short"),
    "empty": (lambda r: cut(first(r, "epochs"), 0), "is empty"),
    "byte flipped": (lambda r: flip(first(r, "epochs"), 150), "changed after it was written"),
    "missing": (lambda r: first(r, "epochs").unlink(), "is missing"),
    "a trials file in its place": (lambda r: first(r, "epochs").write_bytes(first(r).read_bytes()), "changed"),
}


FOREIGN: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda f: (f / "notes.txt").write_text("hello"), "is no Parquet file"),
    "an empty file": (lambda f: (f / "touched").touch(), "is empty"),
    "csv under the name parquet": (lambda f: (f / "a.parquet").write_text("trial_id\nx\n"), "is no Parquet file"),
    "parquet with unknown columns": (
        lambda f: pq.write_table(pa.table({"colour": [1], "trial_id": ["x"]}), f / "mine.parquet"),
        "was not written by this program and holds unknown columns: colour",
    ),
    "parquet with known columns": (
        lambda f: pq.write_table(pa.table({"trial_id": ["x"]}), f / "mine.parquet"),
        "was not written by this program",
    ),
    "a folder": (lambda f: (f / "old").mkdir(), "is a folder"),
    "a folder under a batch's name": (lambda f: (f / NAME).mkdir(), "is a folder"),
    "a dangling link": (lambda f: (f / "link").symlink_to("nowhere"), "is a link, which is not followed"),
}


def newer(results: Path, name: str | None = None) -> None:
    """Write a trials file as a newer release would."""
    rows = schema.trials_table([outcome(5)])
    place = rows.column_names.index("schema_version")
    rows = rows.set_column(place, "schema_version", pa.array([SCHEMA_VERSION + 1]))
    described = rows.replace_schema_metadata(
        {"orchestrator": json.dumps({"table": "trials", "schema_version": SCHEMA_VERSION + 1})}
    )
    content = files.encode(described, small=True)
    (results / "trials" / (name or f"{files.new_batch()}.{files.digest_of(content)}.parquet")).write_bytes(content)


def newer_plan(results: Path) -> None:
    with Ledger(results, writable=True) as ledger:
        ledger.studies.write("s", {}, pa.table({"trial_id": ["a" * 20]}))
    path = results / "studies" / "s" / "plan.parquet"
    facts = json.loads(pq.read_schema(path).metadata[b"orchestrator"]) | {"schema_version": SCHEMA_VERSION + 1}
    pq.write_table(pq.read_table(path).replace_schema_metadata({"orchestrator": json.dumps(facts)}), path)


def replaced_by_file(path: Path) -> None:
    if path.is_dir():
        path.rename(path.with_name(path.name + ".away"))
    path.write_text("in the way")


def replaced_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link_to_nowhere(results: Path) -> None:
    results.rename(results.with_name("away"))
    results.symlink_to("nowhere")


READING: dict[str, tuple[Callable[[Path], object], str]] = {
    "newer schema": (newer, f"has ledger schema {SCHEMA_VERSION + 1}, this program knows up to {SCHEMA_VERSION}"),
    "newer schema under another name": (lambda r: newer(r, "trials-v2.parquet"), "has ledger schema"),
    "newer schema in an old file's place": (lambda r: newer(r, first(r).name), "has ledger schema"),
    "a file for a results folder": (replaced_by_file, "is a file; name a folder with --results"),
    "a file for the trials folder": (
        lambda r: replaced_by_file(r / "trials"),
        "the ledger cannot be read: Not a directory",
    ),
}


WRITING: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file for the epochs folder": (lambda r: replaced_by_file(r / "epochs"), "cannot be written: File exists"),
    "a folder for the lock": (lambda r: replaced_by_folder(r / "lock"), "cannot be locked: Is a directory"),
    "a link to nowhere": (link_to_nowhere, "cannot be written: File exists"),
    "a file above the folder": (lambda r: replaced_by_file(r.parent / "up"), "Not a directory"),
}


STUDIES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "cut short": (lambda p: cut(p, size(p) // 2), "is damaged; run the study again to write it anew"),
    "empty": (lambda p: cut(p, 0), "is damaged"),
    "byte flipped": (lambda p: flip(p, 40), "is damaged"),
    "byte flipped in the footer": (lambda p: flip(p, p.read_bytes().rindex(b"digest") + 12), "is damaged"),
    "another table": (lambda p: pq.write_table(pa.table({"a": [1]}), p), "is damaged"),
}
