"""A plan is tried before it is run: arm by arm, once for the same code, data and configurations."""

from dataclasses import replace

import pytest

from orchestrator import discovery
from orchestrator.designs.grid import grid
from orchestrator.designs.one_factor import one_factor
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.plan.rehearsal import MOST
from orchestrator.plan.rehearsal import check_methods as check
from orchestrator.study import Study

STUDY = Study(
    question="?", name="tried", datasets=("gaussians",), exploratory=True, design=one_factor("kmeans", {"n_init": [1]})
)


@pytest.fixture
def tries(monkeypatch, tmp_path):
    """The configurations that were built while the test runs."""
    found, real = [], discovery.rehearsal().problem

    def problem(method, spec, data):
        found.append(spec)
        return real(method, spec, data)

    monkeypatch.setattr(discovery.rehearsal(), "problem", problem)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return found


def check_methods(plan):
    check(plan.configurations, plan.study.metric, plan.catalogue, plan.study.called)


def planned(**changes):
    return plan_of(replace(STUDY, **changes), Catalogue(without_data=True))


def test_every_arm_is_built_once_on_each_dataset_that_is_here(tries):
    check_methods(planned(datasets=("gaussians", "gaussians:subset=100")))
    assert [(spec.dataset, spec.config["n_init"]) for spec in tries] == [
        ("gaussians", 10),
        ("gaussians", 1),
        ("gaussians:subset=100", 10),
        ("gaussians:subset=100", 1),
    ]


def test_of_a_large_design_evenly_many_are_built(tries):
    check_methods(planned(design=grid("kmeans", {"n_init": list(range(1, 51)), "cluster_factor": [1.0, 2.0, 3.0]})))
    assert len(tries) == MOST
    assert len({spec.config["n_init"] for spec in tries}) > MOST // 4


def test_an_arm_that_cannot_be_built_is_named(tries):
    plan = planned(datasets=("gaussians:subset=10",), design=one_factor("kmeans", {"cluster_factor": [4.0]}))
    with pytest.raises(
        RequestError, match=r"study tried: 'cluster_factor=4' on gaussians:subset=10 cannot be trained: "
    ):
        check_methods(plan)


def test_a_metric_that_nobody_gives_is_refused_with_the_nearest(tries):
    with pytest.raises(UnknownNameError, match="unknown metric of study tried 'nmmi'; the nearest: nmi"):
        check_methods(planned(metric="nmmi"))
    check_methods(planned(metric="loss"))


def test_what_was_tried_before_is_not_tried_again(tries, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    check_methods(planned())
    n_tries = len(tries)
    check_methods(planned())
    assert len(tries) in (n_tries, 2 * n_tries)  # twice: the code is younger than this process
