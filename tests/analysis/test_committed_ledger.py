"""The committed ledger: every number of ANSWERS.md comes out of it again, and its trials train to the same numbers."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

import analysis
import studies
from analysis.data import study_view
from analysis.pages import index
from orchestrator.executors.inline import InlineExecutor
from orchestrator.ledger import Ledger
from orchestrator.ledger.exporting import MARK
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run import verification
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import load

LEDGER = Path(analysis.__file__).parent / "ledger"
ANSWERS = Path(studies.__file__).parent / "ANSWERS.md"

TRUTHS = ("trial_id", "method", "method_version", "config", "dataset", "dataset_digest", "protocol", "seed_block")
TRUTHS += ("seed", "n_epochs", "precision", "state", "failure_kind", "collapsed")
"""Columns that two trainings of a trial share, with those of its metrics; the others are facts of the training."""


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_is_small_whole_and_carries_no_path():
    files = contents(LEDGER)
    assert sum(map(len, files.values())) < 20 * 2**20
    assert {name.split("/")[0] for name in files} == {"trials", "epochs", "studies", MARK}
    ledger = Ledger(LEDGER)
    assert ledger.doctor.problems() == []
    assert ledger.studies.names() == json.loads(files[MARK])["studies"]
    assert set(ledger.trials()["stages"].fillna("")) == {""}  # null: written before stages were recorded
    texts = [text.decode() for name, text in files.items() if name.endswith(".json")]
    texts += ledger.trials(view=False)["error"].tolist()
    assert not [text for text in texts if re.search(r"/(root|home|work|tmp|Users)/", text)]


@pytest.mark.slow
def test_every_number_of_the_answers_comes_out_of_it_again_and_it_stays_as_it_is(tmp_path):
    before = contents(LEDGER)
    index.build(LEDGER, tmp_path / "out", notebook=False)
    assert (tmp_path / "out" / "ANSWERS.md").read_bytes() == ANSWERS.read_bytes()
    assert contents(LEDGER) == before


@pytest.mark.slow
def test_a_sample_of_its_trials_trains_to_the_same_bits():
    """On the processor that trained it: another one's BLAS may add up in another order."""
    found = verification.verify("", LEDGER, verification.Draw(sample=20, seed=1), ())
    assert found["n_trials"] == 20
    assert found["differ"] == []


@pytest.mark.slow
def test_its_cheapest_study_run_again_from_nothing_gives_the_same_rows(tmp_path):
    views = [view for view in study_view.load_all(LEDGER) if view.tier == "local" and not view.record["searches"]]
    view = min(views, key=lambda one: one.rows.drop_duplicates("trial_id")["cost.seconds"].sum())
    with Ledger(tmp_path, writable=True) as ledger:
        runner = Runner(plan_of(load(view.name), Catalogue()), ledger, RunOptions())
        InlineExecutor().run(runner)
    kept = Ledger(LEDGER).trials()
    rows = [own[own["trial_id"].isin(set(view.rows["trial_id"]))] for own in (kept, Ledger(tmp_path).trials())]
    known = [*TRUTHS, *(column for column in rows[1] if column.startswith("metric."))]
    assert len(known) > len(TRUTHS) + 5
    first, second = (own[known].sort_values("trial_id").reset_index(drop=True) for own in rows)
    pd.testing.assert_frame_equal(first, second, check_exact=True, check_dtype=False)
