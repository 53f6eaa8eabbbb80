"""How far a study is, seen while its run goes on: searches ask as they go, and arms come after them."""

from __future__ import annotations

from orchestrator.cli import session
from orchestrator.cli.options import RunOptions
from orchestrator.designs.around import around
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.executors.inline import InlineExecutor
from orchestrator.inspection.status import status
from orchestrator.run import train
from orchestrator.study import Study

STUDY = Study(
    name="followed",
    question="How many restarts?",
    design=around(
        search("kmeans", ("tolerance",), n_configurations=4, n_seeds=1, round_size=2),
        one_factor("kmeans", {"n_init": [1]}),
    ),
    datasets=("gaussians:subset=60",),
    seeds=3,
    n_epochs=1,
    exploratory=True,
)


class Followed(InlineExecutor):
    """Asks for the status before each bundle, as another terminal would."""

    def __init__(self, results):
        super().__init__()
        self.results, self.seen = results, []

    def train(self, source, task):
        (line,) = status(self.results)
        self.seen.append((line["trials"], line["complete"], line["missing"]))
        super().train(source, task)


def followed(results):
    executor = Followed(results)
    session.run_study(STUDY, RunOptions(results=results, report=False, as_json=True), executor)
    return executor.seen


def test_while_a_search_runs_all_trials_of_its_study_are_missing_that_will_be_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "RECORD_SECONDS", 0.0)
    monkeypatch.setattr(train, "RECORD_SHARE", 0.0)
    seen = followed(tmp_path)
    n_trials = 4 + 2 * 3
    assert {trials for trials, _, _ in seen} == {n_trials}
    assert all(complete + missing == n_trials and missing > 0 for _, complete, missing in seen)
    completes = [complete for _, complete, _ in seen]
    assert completes[0] == 0 and completes[-1] >= 4 and completes == sorted(completes)
    (line,) = status(tmp_path)
    assert (line["trials"], line["complete"], line["missing"]) == (n_trials, n_trials, 0)


def test_what_is_missing_is_known_although_the_record_is_old(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "RECORD_SECONDS", 1e9)
    assert all(trials == 10 and missing > 0 for trials, _, missing in followed(tmp_path))
