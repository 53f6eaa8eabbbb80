"""An honest results folder for the fuzzers, and what must hold of whatever became of it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from analysis.data import study_view
from analysis.verdicts import verdicts
from orchestrator.errors import LedgerError, OrchestratorError
from orchestrator.inspection.status import status
from orchestrator.ledger import Ledger
from orchestrator.ledger.exporting import export_ledger

KEPT = Path(__file__).parent / "results_of_5c7b3a1"
STUDY = "walks"
TRIAL = sorted(Ledger(KEPT).trials()["trial_id"])[0]

TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", ".", "..", "../../x", "/etc/passwd", "=1+1", "<script>", "\x1b[2J", "a\nb", "\x00", "a" * 5_000]
    ),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def copy_to(place: Path) -> Path:
    """Return a copy of the honest folder."""
    shutil.rmtree(place, ignore_errors=True)
    return Path(shutil.copytree(KEPT, place))


def or_one_line(call: Callable[[], Any]) -> Any:
    """Return what a call returns, or the line in which it ended."""
    try:
        return call()
    except OrchestratorError as error:
        line = str(error)
        assert "\n" not in line, line
        assert line.isprintable(), line
        return error


def uses(results: Path, *, patient: bool = True) -> None:
    """Do everything that one does with a folder, except training and drawing; `patient` takes its lock too."""
    or_one_line(lambda: Ledger(results).trials(view=False))
    or_one_line(lambda: Ledger(results).epochs(view=False))
    or_one_line(lambda: Ledger(results).trials(view=False, only=[TRIAL]))
    or_one_line(lambda: status(results))
    problems = or_one_line(Ledger(results).doctor.problems)
    assert isinstance(problems, LedgerError) or all(line.isprintable() for line in problems)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(results.with_name("kept"))
    or_one_line(lambda: export_ledger(results, results.with_name("kept"), 20 * 2**20))
    if patient:
        or_one_line(lambda: repaired(results))


def repaired(results: Path) -> None:
    """Repair a folder; afterwards nothing is wrong with it, and it reads as before."""
    before = or_one_line(lambda: Ledger(results).trials(view=False))
    with Ledger(results, writable=True) as ledger:
        ledger.compact()
        ledger.doctor.repair()
        assert ledger.doctor.problems() == []
        assert isinstance(before, LedgerError) or len(ledger.trials(view=False)) == len(before)


def reports(results: Path) -> None:
    """Make the verdicts of the study, or end in one line."""
    or_one_line(lambda: verdicts.verdicts(study_view.load(results, STUDY)))


def is_sane(results: Path) -> None:
    """Assert that every row that is read is such as this program writes."""
    rows = or_one_line(lambda: Ledger(results).trials(view=False))
    if not isinstance(rows, pd.DataFrame) or rows.empty:
        return
    assert rows["trial_id"].str.fullmatch("[0-9a-f]{20}").all()
    assert rows["state"].isin(["complete", "pruned", "failed"]).all()
    assert rows["seed_block"].isin(["search", "confirm"]).all()
    assert rows["attempt"].ge(1).all()
    assert rows["seed"].ge(0).all()
    assert not rows.duplicated(["trial_id", "attempt"]).any()


@cache
def honest_rows() -> pd.DataFrame:
    """Return the rows of the honest folder, by trial and attempt."""
    return Ledger(KEPT).trials(view=False).set_index(["trial_id", "attempt"]).sort_index()


def is_part_of_the_honest_folder(results: Path) -> None:
    """Assert that every row that is read is one of the honest folder, number for number."""
    rows = or_one_line(lambda: Ledger(results).trials(view=False))
    if isinstance(rows, pd.DataFrame) and len(rows):
        found = rows.set_index(["trial_id", "attempt"]).sort_index()
        known = honest_rows().loc[found.index]
        for name in (name for name in found.columns if name.startswith("metric.")):
            np.testing.assert_array_equal(found[name].to_numpy(), known[name].to_numpy())
        assert (found["state"] == known["state"]).all()
