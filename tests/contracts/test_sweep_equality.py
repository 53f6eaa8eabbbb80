"""The trials of the benchmark's sweep, in a bundle as they are run and each alone: the same bits in every row."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pytest

from orchestrator.designs.grid import grid
from orchestrator.executors.worker import reports
from orchestrator.knobs import Value
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.row_table import RowTable
from orchestrator.study import Study
from orchestrator.trial import Bundle, BundleTask, TrialSpec

LEVELS = {
    "fairness_weight": [1.0, 10.0, 100.0, 1000.0],
    "norm_weight": [1e-5, 1e-4, 1e-3, 1e-2],
    "lr": [0.03, 0.1, 0.3, 1.0],
}
SUBSET = range(0, 64, 7)


def specs(seed: int, n_epochs: int) -> list[TrialSpec]:
    study = Study(question="?", design=grid("entropy", LEVELS), datasets=("mnist_5k",), n_epochs=n_epochs, seeds=1)
    plan = plan_of(replace(study, exploratory=True), Catalogue())
    every: list[dict[str, Value]] = [
        dict(zip(LEVELS, values, strict=True)) for values in itertools.product(*LEVELS.values())
    ]
    return [replace(plan.spec("entropy", values, "mnist_5k"), seed=seed) for values in every]


def trained(members: Sequence[TrialSpec]) -> dict[tuple[str, int], dict[str, float | None]]:
    """Return (trial_id, epoch) -> row of a bundle."""
    rows = RowTable()
    for report in reports(BundleTask(bundle=Bundle(tuple(members))), None, lambda: False):
        rows.add(report.rows)
    table = rows.of({spec.trial_id for spec in members})
    assert isinstance(table, pa.Table)
    found = {}
    for row in table.to_pylist():
        place = (str(row.pop("trial_id")), int(row.pop("epoch")))
        row.pop("seconds")
        found[place] = row
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "n_epochs"), [(0, 10), (3, 3)])
def test_a_bundle_of_the_sweep_has_the_rows_of_its_trials_trained_one_after_another(seed: int, n_epochs: int) -> None:
    members = specs(seed, n_epochs)
    together = trained(members)
    assert len(together) == 64 * n_epochs
    for place in SUBSET:
        for key, row in trained([members[place]]).items():
            assert row == together[key], f"member {place}, epoch {key[1]}"
