"""The recipes of CONTRIBUTING are true: the file that a recipe shows, in a plugin folder, works and edits nothing."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pandas as pd
import pytest
import torch

from orchestrator import discovery
from orchestrator.designs.around import around
from orchestrator.designs.fixed import fixed
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.executors import executor_of
from orchestrator.executors.base import ExecutorOptions
from orchestrator.inspection import tracking
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study, load

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


def written(plugin: Path, title: str, folder: str, name: str) -> None:
    """Write the code of a recipe where a plugin folder has it."""
    (plugin / folder).mkdir(parents=True, exist_ok=True)
    (plugin / folder / f"{name}.py").write_text(recipe(title))


def asked(**changes: object) -> Study:
    fields: dict[str, object] = {
        "question": "?",
        "name": "recipe",
        "datasets": ("gaussians",),
        "seeds": 3,
        "n_epochs": 2,
        "margin": 0.01,
        "exploratory": True,
    }
    return Study(**{**fields, **changes})  # type: ignore[arg-type]


def trained(
    study: Study, plugin: Path, results: Path, address: str = "inline"
) -> tuple[pd.DataFrame, dict[str, object]]:
    """Return the rows and the record of a study that was run with a plugin folder."""
    plugins = (str(plugin),)
    executor = executor_of(ExecutorOptions(address=address), plugins)
    with Ledger(results, writable=True) as ledger:
        runner = Runner(plan_of(study, Catalogue(plugins)), ledger, RunOptions(plugins=plugins))
        executor.run(runner)
        executor.close()
        runner.write_record()
        record, _ = ledger.studies.read(study.key)
        assert runner.finished
    return Ledger(results).trials(), record


def test_a_study_may_be_about_the_metric_of_the_recipe(plugin: Path, tmp_path: Path) -> None:
    written(plugin, "A metric", "metrics", "purity")
    study = asked(design=one_factor("kmeans", {"cluster_factor": [2.0]}), metric="purity", n_epochs=1)
    rows, record = trained(study, plugin, tmp_path / "results")
    assert len(rows) == 6 and rows["metric.purity"].between(0.1, 1.0).all()
    assert (rows["metric.purity"] >= rows["metric.acc"]).all()
    assert 0.0 < record["chance"]["gaussians"]["purity"] < 0.5
    assert "purity" not in discovery.metrics(())


def test_the_tracker_of_the_recipe_gets_every_trial_once(plugin: Path, tmp_path: Path) -> None:
    written(plugin, "A tracker", "trackers", "json_files")
    rows, _ = trained(asked(design=fixed("kmeans"), n_epochs=1), plugin, tmp_path / "results")
    targets, plugins = [("json_files", tmp_path / "shown")], [str(plugin)]
    assert tracking.export(tmp_path / "results", "recipe", targets, plugins) == (3, 3)
    assert tracking.export(tmp_path / "results", "recipe", targets, plugins) == (3, 0)
    shown = [json.loads(path.read_text()) for path in (tmp_path / "shown" / "recipe").iterdir()]
    assert sorted(one["rows"][-1]["metric/nmi"] for one in shown) == sorted(rows["metric.nmi"])


def test_the_study_of_the_recipe_runs(plugin: Path, tmp_path: Path) -> None:
    written(plugin, "A study", "studies", "restarts")
    rows, record = trained(load("restarts", [str(plugin)]), plugin, tmp_path / "results")
    assert len(rows) == 24 and set(rows["state"]) == {"complete"}
    assert record["designs"] == [{"kind": "one_factor", "method": "kmeans", "knobs": ["n_init"]}]


def test_the_dataset_of_the_recipe_is_clustered_with_options(plugin: Path, tmp_path: Path) -> None:
    written(plugin, "A dataset", "datasets", "moons")
    study = asked(design=fixed("kmeans"), datasets=("moons:n_points=200,subset=100",), n_epochs=1)
    rows, _ = trained(study, plugin, tmp_path / "results")
    assert len(rows) == 3 and rows["metric.acc"].between(0.6, 0.95).all()


def test_the_design_of_the_recipe_compares_two_arms(plugin: Path, tmp_path: Path) -> None:
    written(plugin, "A design", "designs", "all_or_nothing")
    made = discovery.load_file(plugin / "designs" / "all_or_nothing.py", "design").all_or_nothing
    study = asked(design=made("kmeans", {"n_init": 1, "init": "random"}), n_epochs=1)
    _, record = trained(study, plugin, tmp_path / "results")
    assert [arm["name"] for arm in record["arms"]] == ["baseline", "changed"]
    assert [contrast["name"] for contrast in record["contrasts"]] == ["changed vs baseline"]


def test_the_sampler_and_the_pruner_of_the_recipes_search(plugin: Path, tmp_path: Path) -> None:
    written(plugin, "A sampler", "samplers", "halton")
    written(plugin, "A pruner", "pruners", "lower_quarter")
    options = {"n_configurations": 8, "n_seeds": 1, "round_size": 4, "sampler": "halton", "pruner": "lower_quarter"}
    first = search("entropy", ("fairness_weight", "lr"), **options)
    study = asked(design=around(first, one_factor("entropy", {"norm_weight": [0.0]})))
    rows, record = trained(study, plugin, tmp_path / "results")
    (searched,) = record["searches"]
    assert (searched["sampler"], searched["pruner"], len(searched["history"])) == ("halton", "lower_quarter", 8)
    assert rows.loc[rows["seed_block"] == "search", "knob.lr"].nunique() == 8


def test_the_executor_of_the_recipe_trains_the_rows_of_the_inline_one(plugin: Path, tmp_path: Path) -> None:
    written(plugin, "An executor", "executors", "fresh_process")
    study = asked(design=one_factor("kmeans", {"n_init": [2]}), n_epochs=1)
    ours, _ = trained(study, plugin, tmp_path / "ours", "fresh_process")
    theirs, _ = trained(study, plugin, tmp_path / "theirs")
    columns = ["trial_id", "metric.acc", "metric.nmi", "metric.loss"]
    assert (
        ours[columns].sort_values("trial_id").values.tolist() == theirs[columns].sort_values("trial_id").values.tolist()
    )


def test_the_method_of_the_recipe_learns_and_goes_on_from_its_state(plugin: Path, tmp_path: Path) -> None:
    written(plugin, "A method", "methods", "online_kmeans")
    study = asked(design=one_factor("online_kmeans", {"lr": [0.05]}), seeds=4, n_epochs=5)
    rows, _ = trained(study, plugin, tmp_path / "results")
    assert len(rows) == 8 and set(rows["state"]) == {"complete"}
    assert rows["metric.nmi"].mean() > 0.4
    member = discovery.find("method", "online_kmeans", (str(plugin),)).METHOD.member
    data = discovery.load_dataset("gaussians", "whole")
    config = discovery.find("method", "online_kmeans", (str(plugin),)).Config()
    first, second = (member(config, 3, data, torch.device("cpu")) for _ in range(2))
    first.fit_epoch()
    second.load_state_dict(copy.deepcopy(first.state_dict()))  # a checkpoint is a copy
    first.fit_epoch()
    second.fit_epoch()
    assert first.evaluate(last=True) == second.evaluate(last=True)
