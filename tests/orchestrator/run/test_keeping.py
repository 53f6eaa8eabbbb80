"""Files of trials are kept as their study asks, before their rows, and are no part of what a trial is."""

import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from orchestrator.designs.one_factor import one_factor
from orchestrator.executors.inline import InlineExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.nothing_to_do import n_known_trials
from orchestrator.plan.plan import plan_of
from orchestrator.price.demand import demand
from orchestrator.price.disk import disk_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study
from orchestrator.trial import Report


def study(keep):
    return Study(
        question="?",
        name="kept",
        design=one_factor("entropy", {"fairness_weight": [10.0]}),
        datasets=("digits:subset=120",),
        n_epochs=1,
        seeds=2,
        margin=0.02,
        keep=keep,
    )


def run(folder, keep, executor=None):
    """Run the study; return its runner."""
    with Ledger(folder, writable=True) as ledger:
        runner = Runner(plan_of(study(keep), Catalogue()), ledger, RunOptions())
        (executor or InlineExecutor()).run(runner)
        runner.write_record()
    return runner


def priced(folder, keep):
    """Return (demand, what is said of the disk)."""
    with Ledger(folder) as ledger:
        asked = demand(plan_of(study(keep), Catalogue()), ledger)
        return asked, disk_of(asked, ledger)


@pytest.fixture(scope="module")
def kept_all(tmp_path_factory):
    folder = tmp_path_factory.mktemp("all")
    run(folder, "confirm")
    return folder


def test_every_confirm_trial_has_its_files(kept_all):
    ledger = Ledger(kept_all)
    trials = ledger.trials()
    assert ledger.kept.ids() == set(trials["trial_id"])
    for trial_id in trials["trial_id"]:
        files = ledger.kept.of(trial_id)
        assert len(pq.read_table(files["assignments"])) == 120
        assert load_file(files["weights"])


def test_the_chosen_are_the_baseline(tmp_path):
    run(tmp_path, "chosen")
    ledger = Ledger(tmp_path)
    _, plan = ledger.studies.read("kept")
    frame = plan.to_pandas()
    assert ledger.kept.ids() == set(frame[frame["role"] == "baseline"]["trial_id"])


def test_ids_and_rows_are_those_of_a_study_that_keeps_nothing(kept_all, tmp_path):
    run(tmp_path, "")
    plain, kept = (Ledger(folder).trials().set_index("trial_id")["metric.nmi"] for folder in (tmp_path, kept_all))
    assert plain.sort_index().equals(kept.sort_index())
    assert Ledger(tmp_path).kept.ids() == set()


def test_a_hit_without_files_is_trained_again_when_they_are_asked_for_and_the_plan_says_so(kept_all, tmp_path):
    run(tmp_path, "")
    asked, disk = priced(tmp_path, "confirm")
    assert asked.n_hits == 0
    assert (disk["trials"], disk["here"], disk["again"]) == (4, 0, 4)
    assert "4 of them are in the ledger without files, and are trained again" in disk["sentence"]
    before = Ledger(tmp_path).trials().set_index("trial_id")["metric.nmi"].sort_index()
    assert run(tmp_path, "confirm").progress.trained == 4
    ledger = Ledger(tmp_path)
    after = ledger.trials()
    assert set(after["attempt"]) == {2}
    assert after.set_index("trial_id")["metric.nmi"].sort_index().equals(before)
    for trial_id in after["trial_id"]:  # equal contents have equal names
        own, others = ledger.kept.of(trial_id), Ledger(kept_all).kept.of(trial_id)
        assert {what: path.name for what, path in own.items()} == {what: path.name for what, path in others.items()}
    assert run(tmp_path, "confirm").progress.trained == 0
    assert priced(tmp_path, "confirm")[1]["sentence"].endswith("all are here.")


def test_the_price_in_disk_is_near_what_is_taken(kept_all, tmp_path):
    _, disk = priced(tmp_path, "confirm")
    ledger = Ledger(kept_all)
    taken = sum(ledger.kept.n_bytes(trial_id) for trial_id in ledger.kept.ids())
    assert taken == pytest.approx(disk["bytes"], rel=0.15)


def test_a_finished_study_whose_files_are_gone_is_not_finished(tmp_path):
    run(tmp_path, "confirm")
    with Ledger(tmp_path, writable=True) as ledger:
        assert n_known_trials(study("confirm"), ledger, ()) == 4
        ledger.kept.forget()
        assert n_known_trials(study("confirm"), ledger, ()) is None


class DiesBeforeRows(InlineExecutor):
    """Dies when the first files have come, as a driver that is killed between files and rows."""

    def train(self, source, task):
        class Dying:
            def report(self, bundle, report):
                if report.kept:
                    source.report(bundle, Report(kept=report.kept))
                    raise KeyboardInterrupt
                source.report(bundle, report)

            def __getattr__(self, name):
                return getattr(source, name)

        super().train(Dying(), task)


def test_files_without_a_row_are_no_hit_and_come_again(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "confirm", DiesBeforeRows())
    ledger = Ledger(tmp_path)
    assert ledger.kept.ids()
    assert ledger.trials().empty
    run(tmp_path, "confirm")
    assert Ledger(tmp_path).kept.ids() == set(Ledger(tmp_path).trials()["trial_id"])
