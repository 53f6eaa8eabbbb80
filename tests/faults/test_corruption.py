"""Broken files and wrong folders: each is named in one line, the rest stays usable, `repair` sets it aside."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestrator.errors import LedgerError, RequestError
from orchestrator.ledger import SCHEMA_VERSION, Ledger, files, schema
from orchestrator.trial import TrialOutcome, TrialSpec, TrialState

NAME = f"20200101T000000000000-abcdef.{'0' * 32}.parquet"


def outcome(seed: int) -> TrialOutcome:
    spec = TrialSpec(method="m", method_version=1, config={"lr": 0.1}, dataset="d", dataset_digest="x", seed=seed)
    return TrialOutcome(spec=spec, attempt=1, state=TrialState.COMPLETE, metrics={"acc": 0.5})


def epochs(seed: int) -> pa.Table:
    return pa.table({"trial_id": [outcome(seed).spec.trial_id] * 2, "attempt": [1, 1], "epoch": [1, 2]})


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A ledger with two batches: seed 0 (to be broken) and seed 1 (must stay usable)."""
    folder = tmp_path / "results"
    with Ledger(folder, writable=True) as ledger:
        ledger.append([outcome(0)], epochs(0))
        ledger.append([outcome(1)], epochs(1))
    return folder


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


@pytest.mark.parametrize("kind", TRIALS)
def test_a_broken_trials_file_is_named_and_set_aside_and_the_rest_stays_usable(results: Path, kind: str) -> None:
    damage, phrase = TRIALS[kind]
    damage(results)
    problems = check(results, phrase, usable=[1], with_epochs=[1])
    assert sum(line.startswith("trials/") for line in problems) == 1


def test_two_swapped_files_are_both_named(results: Path) -> None:
    swap(results)
    check(results, "changed after it was written", usable=[], with_epochs=[], lines=4)


EPOCHS = {
    "cut short": (lambda r: cut(first(r, "epochs"), 99), "is cut short"),
    "empty": (lambda r: cut(first(r, "epochs"), 0), "is empty"),
    "byte flipped": (lambda r: flip(first(r, "epochs"), 150), "changed after it was written"),
    "missing": (lambda r: first(r, "epochs").unlink(), "is missing"),
    "a trials file in its place": (lambda r: first(r, "epochs").write_bytes(first(r).read_bytes()), "changed"),
}


@pytest.mark.parametrize("kind", EPOCHS)
def test_a_broken_epochs_file_costs_its_rows_and_no_trial(results: Path, kind: str) -> None:
    damage, phrase = EPOCHS[kind]
    damage(results)
    check(results, phrase, usable=[0, 1], with_epochs=[1], lines=1)


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


@pytest.mark.parametrize("table", ["trials", "epochs"])
@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_named_and_disturbs_nothing(results: Path, table: str, kind: str) -> None:
    plant, phrase = FOREIGN[kind]
    plant(results / table)
    lines = check(results, phrase, usable=[0, 1], with_epochs=[0, 1], lines=1)
    assert lines[0].startswith(f"{table}/")


@pytest.mark.parametrize("table", ["trials", "epochs"])
def test_an_unknown_column_is_named_and_left_out_and_the_other_columns_are_read(results: Path, table: str) -> None:
    with_column(results, table, "colour")
    with Ledger(results) as ledger:
        assert len(ledger.trials()) == 3
        assert "colour" not in {*ledger.trials().columns, *ledger.epochs().columns}
    check(
        results, "holds unknown columns, which are left out: colour", usable=[0, 1, 2], with_epochs=[0, 1, 2], lines=1
    )


def check(
    results: Path, phrase: str, *, usable: list[int], with_epochs: list[int], lines: int | None = None
) -> list[str]:
    """Assert that `phrase` is said, that these seeds read as before, and that a repair changes only the problems."""
    ids = {outcome(seed).spec.trial_id: seed for seed in range(3)}

    def seen(ledger: Ledger) -> tuple[list[int], list[int]]:
        return sorted(ledger.trials()["seed"].tolist()), sorted({ids[name] for name in ledger.epochs()["trial_id"]})

    problems = Ledger(results).doctor.problems()
    assert any(re.search(phrase, line) for line in problems), problems
    assert all("\n" not in line for line in problems)
    assert lines is None or len(problems) == lines
    assert seen(Ledger(results)) == (usable, with_epochs)
    before = sum(path.is_file() or path.is_symlink() for path in results.rglob("*"))
    with Ledger(results, writable=True) as ledger:
        assert seen(ledger) == (usable, with_epochs)
        assert sorted(ledger.doctor.repair()) == sorted(problems)
        assert ledger.doctor.problems() == []
        assert seen(ledger) == (usable, with_epochs)
        ledger.append([outcome(0)], epochs(0))
        assert 0 in seen(ledger)[0]
    assert Ledger(results).doctor.problems() == []
    assert sum(path.is_file() or path.is_symlink() for path in results.rglob("*")) >= before
    return problems


# -- folders that cannot be used: one line, nothing half-written -----------------------------------------------------


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


@pytest.mark.parametrize("kind", READING)
def test_a_folder_that_cannot_be_read_is_refused_in_one_line_by_readers_and_drivers(results: Path, kind: str) -> None:
    damage, phrase = READING[kind]
    damage(results)
    refused(phrase, lambda: Ledger(results).trials())
    refused(phrase, lambda: Ledger(results).complete(["x"]))
    refused(phrase, Ledger(results).doctor.problems)
    refused("results", lambda: Ledger(results, writable=True).__enter__())


WRITING: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file for the epochs folder": (lambda r: replaced_by_file(r / "epochs"), "cannot be written: File exists"),
    "a folder for the lock": (lambda r: replaced_by_folder(r / "lock"), "cannot be locked: Is a directory"),
    "a link to nowhere": (link_to_nowhere, "cannot be written: File exists"),
    "a file above the folder": (lambda r: replaced_by_file(r.parent / "up"), "Not a directory"),
}


@pytest.mark.parametrize("kind", WRITING)
def test_a_folder_that_cannot_be_written_is_refused_in_one_line(results: Path, kind: str) -> None:
    damage, phrase = WRITING[kind]
    damage(results)
    place = results.parent / "up" / "results" if kind == "a file above the folder" else results
    refused(phrase, lambda: Ledger(place, writable=True).__enter__())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("call", range(4), ids=["epochs file", "epochs folder", "trials file", "trials folder"])
def test_an_append_that_the_disk_refuses_leaves_nothing_half_written(
    results: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: int
) -> None:
    calls = []

    def refusing(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == call + 1:
            raise OSError(number, os.strerror(number))

    with Ledger(results, writable=True) as ledger:
        with monkeypatch.context() as patch:
            patch.setattr(files.os, "fsync", refusing)
            refused(f"cannot be written: {os.strerror(number)}", lambda: ledger.append([outcome(7)], epochs(7)))
        assert not [path for path in results.rglob("*.tmp")]
        assert ledger.append([outcome(7)], epochs(7)) == 1
        assert ledger.doctor.problems() == []
        assert len(ledger.trials(view=False, only=[outcome(7).spec.trial_id])) == 1
        assert len(ledger.epochs([outcome(7).spec.trial_id])) == 2


def test_a_compaction_that_the_disk_refuses_keeps_every_row(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Ledger(results, writable=True) as ledger:
        before = ledger.trials(), ledger.epochs()
        monkeypatch.setattr(files.os, "fsync", refusing)
        refused("No space left on device", ledger.compact)
        assert ledger.trials().equals(before[0])
        assert ledger.epochs().equals(before[1])
        refused("No space left on device", lambda: ledger.studies.write("s", {}, pa.table({"trial_id": ["a" * 20]})))
        assert ledger.studies.names() == []


STUDIES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "cut short": (lambda p: cut(p, size(p) // 2), "is damaged; run the study again to write it anew"),
    "empty": (lambda p: cut(p, 0), "is damaged"),
    "byte flipped": (lambda p: flip(p, 40), "is damaged"),
    "byte flipped in the footer": (lambda p: flip(p, p.read_bytes().rindex(b"digest") + 12), "is damaged"),
    "another table": (lambda p: pq.write_table(pa.table({"a": [1]}), p), "is damaged"),
}


@pytest.mark.parametrize("kind", STUDIES)
def test_a_damaged_plan_is_named_and_can_be_written_anew(results: Path, kind: str) -> None:
    plan = pa.table({"trial_id": ["a" * 20, "b" * 20], "arm": ["baseline", "off"]})
    with Ledger(results, writable=True) as ledger:
        ledger.studies.write("s", {"alpha": 0.1}, plan)
        damage, phrase = STUDIES[kind]
        damage(results / "studies" / "s" / "plan.parquet")
        refused(phrase, lambda: ledger.studies.read("s"))
        assert len(ledger.doctor.problems()) == 1
        ledger.doctor.repair()
        assert ledger.doctor.problems() == []
        ledger.studies.write("s", {"alpha": 0.1}, plan)
        assert ledger.studies.read("s")[0] == {"alpha": 0.1}


def test_a_plan_of_a_newer_schema_is_refused(results: Path) -> None:
    newer_plan(results)
    refused("has ledger schema", lambda: Ledger(results).studies.read("s"))


def test_every_single_flipped_bit_of_a_small_file_is_noticed(results: Path) -> None:
    path = first(results)
    content = path.read_bytes()
    for place in range(0, len(content), 211):
        path.write_bytes(content)
        flip(path, place)
        assert Ledger(results).trials()["seed"].tolist() == [1], place


def refused(phrase: str, call: Callable[[], object]) -> None:
    """Assert that the call ends in one line that holds `phrase`."""
    with pytest.raises(RequestError, match=re.escape(phrase)) as caught:
        call()
    assert isinstance(caught.value, LedgerError)
    assert "\n" not in str(caught.value)


def test_a_plan_with_a_flipped_bit_is_refused_or_reads_as_it_was_written(results: Path) -> None:
    plan = pa.table({"trial_id": ["a" * 20, "b" * 20], "arm": ["baseline", "off"]})
    with Ledger(results, writable=True) as ledger:
        ledger.studies.write("s", {"alpha": 0.1}, plan)
    path = results / "studies/s/plan.parquet"
    content = path.read_bytes()
    refusals = 0
    for place in range(0, len(content), 7):
        path.write_bytes(content)
        flip(path, place)
        try:
            assert Ledger(results).studies.read("s")[1].equals(plan), place
        except LedgerError:
            refusals += 1
    assert refusals > len(content) / 7 / 2
