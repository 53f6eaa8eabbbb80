"""What a list reads of a study's files is what a whole reading finds; what is damaged of it is refused."""

import pyarrow as pa
import pytest

from orchestrator.errors import LedgerError, UnknownNameError
from orchestrator.ledger import Ledger

RECORD = {"tier": "cluster", "command": "orchestrate run asked"}


@pytest.fixture
def results(tmp_path):
    with Ledger(tmp_path, writable=True) as ledger:
        ledger.studies.write("asked", RECORD, pa.table({"trial_id": ["0" * 20, "a" * 20], "seed": [1, 2]}))
    return tmp_path


def test_tier_command_and_trials_are_those_of_the_whole_record_and_plan(results):
    studies = Ledger(results).studies
    record, plan = studies.read("asked")
    brief = studies.brief("asked")
    assert (brief.tier, brief.command) == (record["tier"], record["command"])
    assert brief.trial_ids.equals(plan["trial_id"])
    assert studies.trial_ids("asked").equals(plan["trial_id"])


def test_a_study_that_was_never_planned_is_named_with_those_that_were(results):
    with pytest.raises(UnknownNameError, match="asked"):
        Ledger(results).studies.brief("other")


@pytest.mark.parametrize("place", [0.2, 0.5, 0.99])
def test_a_plan_that_is_cut_short_is_damaged_to_all_that_read_of_it(results, place):
    path = results / "studies" / "asked" / "plan.parquet"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * place)])
    studies = Ledger(results).studies
    for read in (studies.read, studies.brief, studies.trial_ids):
        with pytest.raises(LedgerError, match="is damaged; run the study again"):
            read("asked")


def test_a_command_that_is_not_ours_and_ids_that_are_none_are_refused(results):
    with Ledger(results, writable=True) as ledger:
        ledger.studies.write("pasted", {"command": "rm -r ."}, pa.table({"trial_id": ["0" * 20]}))
        ledger.studies.write("named", RECORD, pa.table({"trial_id": ["../../elsewhere"]}))
        with pytest.raises(LedgerError, match="not an `orchestrate run`"):
            ledger.studies.brief("pasted")
        with pytest.raises(LedgerError, match="trial_id"):
            ledger.studies.trial_ids("named")
