"""A search asks in rounds that may overlap: what it asks for does not depend on which trials end first."""

from pathlib import Path

import pytest

from orchestrator.designs.search import search
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.plan.trials import TrialResult
from orchestrator.search.phase import SearchPhase
from orchestrator.study import Study
from orchestrator.trial import TrialState

TOY = (str(Path(__file__).parents[1] / "toy"),)


def phase(**options):
    design = search("toy", ("level",), n_configurations=20, round_size=4, n_seeds=2, **options)
    study = Study(name="s", question="?", design=design, datasets=("gaussians",), n_epochs=3, exploratory=True)
    return SearchPhase(plan_of(study, Catalogue(TOY)), design, "gaussians")


def run(searched, end):
    """Let one trial end at a time: the one at `end(how many are under way)`; return what was asked, and how."""
    known: dict[str, TrialResult] = {}
    under_way, most = searched.advance(known.get), 0
    while not searched.finished:
        most = max(most, len(under_way))
        trial = under_way.pop(end(len(under_way)))
        score = -abs(float(trial.spec.config["level"]) - 0.7)
        known[trial.spec.trial_id] = TrialResult(TrialState.COMPLETE, False, {"neighbour_mi": score})
        while fresh := searched.advance(known.get):
            under_way += fresh
    assert not under_way
    return [dict(proposal.values) for proposal in searched.rounds.proposals.values()], most


@pytest.mark.parametrize("n_ahead", [0, 2])
def test_what_is_asked_depends_on_no_order_of_ends_and_replays(n_ahead):
    first_first, most = run(phase(rounds_ahead=n_ahead), lambda n: 0)
    last_first, _ = run(phase(rounds_ahead=n_ahead), lambda n: n - 1)
    middle_first, _ = run(phase(rounds_ahead=n_ahead), lambda n: n // 2)
    assert first_first == last_first == middle_first
    assert most == 4 * 2 * (1 + n_ahead)


def test_rounds_ahead_are_asked_before_the_slowest_trial_ends():
    def first_round_ends(searched):
        known: dict[str, TrialResult] = {}
        under_way = searched.advance(known.get)
        asked = len(under_way)
        for trial in under_way[: 4 * 2]:  # the first round ends, the others do not
            known[trial.spec.trial_id] = TrialResult(TrialState.COMPLETE, False, {"neighbour_mi": 0.5})
        return asked, len(searched.advance(known.get))

    assert first_round_ends(phase(rounds_ahead=2)) == (3 * 8, 8)


def test_rounds_ahead_are_in_the_record():
    assert phase(rounds_ahead=2).record()["rounds_ahead"] == 2
