"""Our methods compute what their authors' own code computed on the same weights, batches and views."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

HERE = Path(__file__).parent


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_runs", HERE / "runs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


RUNS = loaded()
FILES = sorted(RUNS.NUMBERS.glob("*.json"))
CASES = [(file.stem, kept) for file in FILES for kept in json.loads(file.read_text())["runs"]]


@pytest.mark.parametrize(("name", "kept"), CASES, ids=[f"{name}-{kept['name']}" for name, kept in CASES])
def test_the_first_steps_have_the_losses_gradients_labels_and_weights_of_the_authors_code(
    name: str, kept: dict[str, Any]
) -> None:
    run = RUNS.Run(**kept)
    method = run.built()
    for epoch in range(1, run.n_epochs + 1):
        method.fit_epoch()
        row, state = method.evaluate(False)[0], method.state_dict()
        for column, values in run.rows.items():
            told = f"{column} after epoch {epoch}"
            assert row[column] == pytest.approx(values[epoch - 1], rel=run.tolerance, abs=run.tolerance), told
        tolerance = run.last_tolerance if epoch == run.n_epochs else run.tolerance
        for place, epochs in run.states.items():
            if str(epoch) in epochs:
                same(RUNS.at(state, place), epochs[str(epoch)], tolerance, f"{place} after epoch {epoch}")


def same(tensor: torch.Tensor, expected: dict[str, Any], tolerance: float, told: str) -> None:
    found = RUNS.written(tensor)
    if "values" in expected:
        assert found == expected, told
        return
    margin = tolerance * max(expected["largest"], 1e-2)  # rounding: gradients that vanish in theory
    assert found["entries"] == pytest.approx(expected["entries"], rel=tolerance, abs=margin), told
    assert found["norm"] == pytest.approx(expected["norm"], rel=10 * tolerance, abs=margin), told


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_numbers_say_whose_code_at_which_commit_gave_them_and_by_which_command(file: Path) -> None:
    kept = json.loads(file.read_text())
    script = (HERE / f"of_{file.stem}.py").read_text()
    assert kept["commit"] in script and len(kept["commit"]) == 40
    assert kept["repository"].removeprefix("https://github.com/") in script
    assert kept["command"] == f"python tests/reference/of_{file.stem}.py CLONE"
    assert all(run["rows"] or run["states"] for run in kept["runs"])
