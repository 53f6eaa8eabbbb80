"""A results folder with a search, an arm that fails, and two seeds."""

from pathlib import Path

import pytest

from orchestrator.designs.around import around
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.executors.inline import InlineExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study

TOY = (str(Path(__file__).parents[2] / "toy"),)


@pytest.fixture(scope="module", name="results")
def results_of_toy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    factors = one_factor("toy", {"mode": ["worse"], "trouble": ["nan"]})
    design = around(search("toy", ("level",), n_configurations=2, n_seeds=2), factors)
    asked = Study(
        question="?",
        name="seen",
        design=design,
        datasets=("gaussians",),
        n_epochs=3,
        seeds=2,
        failure_budget=1,
        margin=0.02,
    )
    with Ledger(folder, writable=True) as ledger:
        runner = Runner(plan_of(asked, Catalogue(TOY)), ledger, RunOptions(plugins=TOY))
        InlineExecutor().run(runner)
        runner.write_record()
    return folder
