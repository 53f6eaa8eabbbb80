"""A search is asked once before a run: what Optuna refuses, the plan refuses."""

from dataclasses import replace

import pytest

from orchestrator.designs.search import search
from orchestrator.errors import RequestError
from orchestrator.knobs import Float
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.search.rehearsal import check_searches
from orchestrator.study import Study

STUDY = Study(question="?", name="asked", datasets=("gaussians",), design=search("kmeans", ("n_init",)), seeds=1)


def planned(design, **changes):
    return plan_of(replace(STUDY, design=design, **changes), Catalogue(without_data=True))


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "nsga2", "cmaes"])
@pytest.mark.parametrize("pruner", ["none", "median"])
def test_a_search_that_can_be_asked_is_no_problem(sampler, pruner):
    if sampler == "nsga2" and pruner != "none":
        pytest.skip("it cannot prune")
    over = {"cluster_factor": Float(0.5, 2.0), "n_init": None, "spherical": None}
    check_searches(planned(search("kmeans", over, sampler=sampler, pruner=pruner, n_configurations=4, round_size=4)))


def test_what_optuna_refuses_is_one_line():
    plan = planned(search("kmeans", ("n_init",), sampler="nsga2", round_size=1))
    with pytest.raises(RequestError, match="study asked: the search over kmeans cannot be asked: ValueError: "):
        check_searches(plan)


def test_a_configuration_that_this_data_cannot_carry_is_named():
    design = search("kmeans", {"cluster_factor": Float(3.9, 4.0)}, n_configurations=2)
    with pytest.raises(RequestError, match="'configuration 0 of the search over kmeans' on gaussians:subset=10 cannot"):
        check_searches(planned(design, datasets=("gaussians:subset=10",)))
