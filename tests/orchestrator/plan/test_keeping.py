"""Which trials a study keeps files of: none, those of the chosen configurations, or all of the confirmation."""

from pathlib import Path

import pytest

from orchestrator.designs.around import around
from orchestrator.designs.fixed import fixed
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.errors import RequestError
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.keeping import kept_trials
from orchestrator.plan.plan import plan_of
from orchestrator.study import Study
from orchestrator.study.settings import with_settings

TOY = (str(Path(__file__).parents[1] / "toy"),)


def study(**changes):
    fields = {"question": "?", "name": "kept", "datasets": ("gaussians",), "seeds": 2, "n_epochs": 1, "margin": 0.1}
    design = around(search("toy", ("level",), n_configurations=2, n_seeds=1), one_factor("toy", {"mode": ["worse"]}))
    return Study(**{**fields, "design": design, "rivals": (fixed("kmeans"),), **changes})


def arms_kept(keep):
    """Return the arms of the trials that are kept."""
    trials = plan_of(study(), Catalogue(TOY)).confirm_trials(range(2))
    kept = kept_trials(keep, trials)
    return {trial.arm for trial in trials if trial.spec.trial_id in kept}


def test_the_chosen_are_what_the_search_chose_and_the_rivals():
    assert arms_kept("") == set()
    assert arms_kept("chosen") == {"baseline", "kmeans"}
    assert arms_kept("confirm") == {"baseline", "kmeans", "mode=worse"}


def test_a_setting_says_it_too_and_another_word_is_refused():
    assert with_settings(study(), ["keep=chosen"]).keep == "chosen"
    with pytest.raises(RequestError, match="keep"):
        with_settings(study(), ["keep=all"])
    with pytest.raises(RequestError, match="keep"):
        study(keep="all")
