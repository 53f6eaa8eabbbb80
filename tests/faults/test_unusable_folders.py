"""Folders and records that cannot be used, and disks that refuse: one line, nothing half-written."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from damage import READING, STUDIES, WRITING, epochs, flip, newer_plan, outcome

from orchestrator.errors import LedgerError, RequestError
from orchestrator.ledger import Ledger, files


@pytest.mark.parametrize("kind", READING)
def test_a_folder_that_cannot_be_read_is_refused_in_one_line_by_readers_and_drivers(results: Path, kind: str) -> None:
    damage, phrase = READING[kind]
    damage(results)
    refused(phrase, lambda: Ledger(results).trials())
    refused(phrase, lambda: Ledger(results).complete(["x"]))
    refused(phrase, Ledger(results).doctor.problems)
    refused("results", lambda: Ledger(results, writable=True).__enter__())


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


def refused(phrase: str, call: Callable[[], object]) -> None:
    """Assert that the call ends in one line that holds `phrase`."""
    with pytest.raises(RequestError, match=re.escape(phrase)) as caught:
        call()
    assert isinstance(caught.value, LedgerError)
    assert "\n" not in str(caught.value)
