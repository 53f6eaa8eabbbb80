"""The methods learn on real images and collapse where theory says (minutes); `tests/benchmarks/learning.py` has how."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orchestrator import discovery
from orchestrator.knobs import configured

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "learning.py"


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("learning_claims", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


LEARNING = loaded()
ABOVE = [name for name, claim in LEARNING.CLAIMS.items() if claim.rival is not None]
FLAGGED = [name for name, claim in LEARNING.CLAIMS.items() if claim.rival is None]


@pytest.mark.slow
@pytest.mark.parametrize("name", ABOVE)
def test_the_lower_end_of_the_paired_interval_is_above_the_rival(name: str) -> None:
    """Ten seeds; the numbers are in analysis/benchmarks/learning.json."""
    found = LEARNING.measured(LEARNING.CLAIMS[name])
    assert found.interval[0] > 0, found
    assert found.collapsed == 0, found


@pytest.mark.slow
@pytest.mark.parametrize("name", FLAGGED)
def test_collapse_is_recorded_where_theory_has_it_and_nowhere_else(name: str) -> None:
    claim = LEARNING.CLAIMS[name]
    found = LEARNING.measured(claim)
    assert found.collapsed == (found.seeds if claim.collapses else 0), found


@pytest.mark.parametrize("method", sorted(LEARNING.SMALL_DATA))
def test_the_settings_for_small_data_are_inside_every_domain(method: str) -> None:
    values: dict[str, Any] = LEARNING.SMALL_DATA[method]
    config = configured(discovery.method(method).Config, values, 1, method)
    assert all(getattr(config, knob) == value for knob, value in values.items())


def test_the_committed_figures_are_those_of_the_claims_and_bear_them_out() -> None:
    kept = json.loads(LEARNING.TARGET.read_text())
    assert list(kept) == list(LEARNING.CLAIMS)
    for name, row in kept.items():
        claim = LEARNING.CLAIMS[name]
        assert (row["method"], row["knobs"], row["n_epochs"]) == (claim.method, claim.knobs, claim.n_epochs)
        assert row["collapsed"] == (row["seeds"] if claim.collapses else 0)
        assert claim.rival is None or row["interval"][0] > 0
