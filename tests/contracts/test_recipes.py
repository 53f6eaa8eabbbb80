"""The recipes of CONTRIBUTING are true: the file that a recipe shows, in a plugin folder, works and edits nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator import discovery
from orchestrator.designs.one_factor import one_factor
from orchestrator.executors.inline import InlineExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"


def recipe(title: str) -> str:
    """Return the code that the page shows for a kind of file."""
    _, _, rest = PAGE.read_text().partition(f"**{title}** is")
    found = re.search(r"```python\n(.*?)```", rest, re.DOTALL)
    assert found is not None, f"no code below {title!r}"
    return found[1]


@pytest.fixture(name="plugin")
def folder_in_use(tmp_path: Path) -> Path:
    return tmp_path / "mine"


def test_a_study_may_be_about_the_metric_of_the_recipe(plugin: Path, tmp_path: Path) -> None:
    (plugin / "metrics").mkdir(parents=True)
    (plugin / "metrics" / "purity.py").write_text(recipe("A metric"))
    plugins = (str(plugin),)
    asked = Study(
        question="does more clusters mean purer ones?",
        design=one_factor("kmeans", {"cluster_factor": [2.0]}),
        datasets=("gaussians",),
        metric="purity",
        seeds=3,
        n_epochs=1,
        margin=0.01,
        name="recipe",
    )
    with Ledger(tmp_path / "results", writable=True) as ledger:
        runner = Runner(plan_of(asked, Catalogue(plugins)), ledger, RunOptions(plugins=plugins))
        InlineExecutor().run(runner)
        runner.write_record()
        record, _ = ledger.read_study("recipe")
    rows = Ledger(tmp_path / "results").trials()
    assert len(rows) == 6 and rows["metric.purity"].between(0.1, 1.0).all()
    assert (rows["metric.purity"] >= rows["metric.acc"]).all()
    assert 0.0 < record["chance"]["gaussians"]["purity"] < 0.5
    assert "purity" not in discovery.metrics(())
