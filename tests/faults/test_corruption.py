"""Broken and foreign files: each is named in one line, the rest stays usable, `repair` sets it aside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from damage import EPOCHS, FOREIGN, TRIALS, epochs, first, flip, outcome, swap, with_column

from orchestrator.ledger import Ledger


@pytest.mark.parametrize("kind", TRIALS)
def test_a_broken_trials_file_is_named_and_set_aside_and_the_rest_stays_usable(results: Path, kind: str) -> None:
    damage, phrase = TRIALS[kind]
    damage(results)
    problems = check(results, phrase, usable=[1], with_epochs=[1])
    assert sum(line.startswith("trials/") for line in problems) == 1


def test_two_swapped_files_are_both_named(results: Path) -> None:
    swap(results)
    check(results, "changed after it was written", usable=[], with_epochs=[], lines=4)


@pytest.mark.parametrize("kind", EPOCHS)
def test_a_broken_epochs_file_costs_its_rows_and_no_trial(results: Path, kind: str) -> None:
    damage, phrase = EPOCHS[kind]
    damage(results)
    check(results, phrase, usable=[0, 1], with_epochs=[1], lines=1)


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


def test_every_single_flipped_bit_of_a_small_file_is_noticed(results: Path) -> None:
    path = first(results)
    content = path.read_bytes()
    for place in range(0, len(content), 211):
        path.write_bytes(content)
        flip(path, place)
        assert Ledger(results).trials()["seed"].tolist() == [1], place
