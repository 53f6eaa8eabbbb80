"""Changes to an honest results folder as a forger would make them: well-formed, with digests that fit.

Each takes the results folder and `outside`, a folder beside it that nothing may read into, write to or delete from.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.ledger import files, studies

STUDY = "walks"
Craft = Callable[[Path, Path], object]


def trials_of(results: Path) -> pa.Table:
    (path,) = (results / "trials").glob("*.parquet")
    return pq.read_table(path)


def facts_of(table: pa.Table) -> dict[str, Any]:
    return dict(json.loads(table.schema.metadata[b"orchestrator"]))


def forge(results: Path, rows: pa.Table, folder: str = "trials", batch: str = "", **facts: Any) -> Path:
    """Write a batch file of any content under a name that fits it."""
    batch = batch or files.new_batch()
    said = {"table": folder, "schema_version": 1, "batch": batch, "epochs": "", "replaces": [], **facts}
    content = files.encode(rows.replace_schema_metadata({"orchestrator": json.dumps(said)}), small=True)
    path = results / folder / f"{batch}.{files.digest_of(content)}.parquet"
    path.write_bytes(content)
    return path


def with_values(column: str, value: Any, kind: pa.DataType | None = None) -> Craft:
    """Replace a column of the trials by one value."""

    def craft(results: Path, outside: Path) -> None:
        rows = trials_of(results)
        told = value(outside) if callable(value) else value
        place = rows.column_names.index(column)
        values = pa.array([told] * len(rows), kind or rows.schema.field(column).type)
        only_batch(results, rows.set_column(place, column, values))

    return craft


def only_batch(results: Path, rows: pa.Table, **facts: Any) -> None:
    (old,) = (results / "trials").glob("*.parquet")
    old_facts = facts_of(pq.read_table(old))
    old.unlink()
    forge(results, rows, batch=old_facts["batch"], **{"epochs": old_facts["epochs"], **facts})


def with_header(**facts: Any) -> Craft:
    """Give the trials file other facts; a callable is asked with (results, outside)."""

    def craft(results: Path, outside: Path) -> None:
        told = {name: value(results, outside) if callable(value) else value for name, value in facts.items()}
        only_batch(results, trials_of(results), **told)

    return craft


def with_plan(change: Callable[[dict[str, Any], pa.Table, Path], tuple[Any, pa.Table]]) -> Craft:
    """Write the study's record and plan anew, with digests that fit."""

    def craft(results: Path, outside: Path) -> None:
        record, plan = change(*studies.read_study(results, STUDY), outside)
        for name, content in studies.encoded(record, plan, tight=False).items():
            (results / "studies" / STUDY / name).write_bytes(content)

    return craft


def with_record(**fields: Any) -> Craft:
    return with_plan(lambda record, plan, outside: ({**record, **fields}, plan))


def without_field(name: str) -> Craft:
    return with_plan(lambda record, plan, _: ({key: value for key, value in record.items() if key != name}, plan))


def with_planned(column: str, value: Any) -> Craft:
    def change(record: dict[str, Any], plan: pa.Table, outside: Path) -> tuple[Any, pa.Table]:
        told = value(outside) if callable(value) else value
        return record, plan.set_column(plan.column_names.index(column), column, pa.array([told] * len(plan)))

    return with_plan(change)


def renamed_arm(name: str) -> Craft:
    """Call the arm `step=2` something else, in record and plan alike."""

    def change(record: dict[str, Any], plan: pa.Table, _: Path) -> tuple[Any, pa.Table]:
        text = json.dumps(record)
        for old, new in (("step=2 vs baseline", f"{name} vs baseline"), ("step=2", name)):
            text = text.replace(json.dumps(old), json.dumps(new))
        arms = [name if arm == "step=2" else arm for arm in plan["arm"].to_pylist()]
        return json.loads(text), plan.set_column(plan.column_names.index("arm"), "arm", pa.array(arms))

    return with_plan(change)


def link(*parts: str, to: str = "") -> Craft:
    """Put a link to something outside in the place of a file or folder."""

    def craft(results: Path, outside: Path) -> None:
        path = results.joinpath(*parts)
        target = outside / (to or path.name)
        if path.is_dir():
            path.rename(outside.parent / f"moved-{path.name}")
            target.mkdir(exist_ok=True)
        elif path.exists():
            path.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    return craft


def text(*parts: str, of: str | bytes) -> Craft:
    def craft(results: Path, outside: Path) -> None:
        path = results.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = of.replace("OUTSIDE", str(outside)) if isinstance(of, str) else of
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return craft


def pipe(*parts: str) -> Craft:
    def craft(results: Path, _: Path) -> None:
        path = results.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return craft


def a_socket(results: Path, _: Path) -> None:
    here = os.getcwd()
    os.chdir(results)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind("lock.sock")
        (results / "lock.sock").rename(results / "trials" / f"{files.new_batch()}.{'0' * 32}.parquet")
    finally:
        os.chdir(here)


def circle(results: Path, _: Path) -> None:
    """Two batches with the same rows, each of which says that it replaces the other."""
    rows = trials_of(results)
    (old,) = (results / "trials").glob("*.parquet")
    facts = facts_of(rows)
    old.unlink()
    other = files.new_batch()
    forge(results, rows, batch=facts["batch"], epochs=facts["epochs"], replaces=[other])
    forge(results, rows, batch=other, replaces=[facts["batch"]])


def false_replacement(results: Path, _: Path) -> None:
    """A batch of one row that says it replaces the one with all."""
    rows = trials_of(results)
    forge(results, rows.slice(0, 1), replaces=[facts_of(rows)["batch"]])


def bomb(results: Path, _: Path) -> None:
    """A few kilobytes that claim a billion rows."""
    rows = pa.table({"trial_id": pa.array(["a" * 20])})
    sink = pa.BufferOutputStream()
    said = {"table": "trials", "schema_version": 1, "batch": "20200101T000000000000-abcdef"}
    described = rows.schema.with_metadata({"orchestrator": json.dumps(said)})
    ids = pa.DictionaryArray.from_arrays(pa.array([0] * 2**20, pa.int8()), rows["trial_id"].combine_chunks())
    with pq.ParquetWriter(sink, pa.schema([("trial_id", ids.type)]).with_metadata(described.metadata)) as writer:
        for _number in range(16):
            writer.write_table(pa.table({"trial_id": ids}))
    content = sink.getvalue()
    (results / "trials" / f"{said['batch']}.{files.digest_of(content)}.parquet").write_bytes(content)


def evil_epochs(change: Callable[[pa.Table], pa.Table]) -> Craft:
    def craft(results: Path, _: Path) -> None:
        (old,) = (results / "epochs").glob("*.parquet")
        rows = pq.read_table(old)
        batch = facts_of(rows)["batch"]
        old.unlink()
        path = forge(results, change(rows), folder="epochs", batch=batch)
        only_batch(results, trials_of(results), epochs=path.name)

    return craft


def replaced(rows: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, values)
