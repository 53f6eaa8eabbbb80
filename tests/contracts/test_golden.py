"""A tiny run of each method version gives the rows it gave when the version was made.

Numbers that move without a raised version fail here. A new method or version gets its file by running this module:
`python tests/contracts/test_golden.py`; it never overwrites one.

Tolerance: 2e-4 relative on losses and 0.05 on metrics in [0, 1]. Another processor or BLAS adds up in another order;
two epochs are too few for that to reach the fourth digit of a loss, but a flipped label is 1/64 of an accuracy.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from orchestrator import discovery
from orchestrator.knobs import Int, configured, knobs_of
from trainables.data.dataset import Dataset
from trainables.datasets import digits
from trainables.method import Row

FOLDER = Path(__file__).parents[1] / "golden"
METHODS = discovery.names("method")
EPOCHS, SEED = 2, 20_231
COMPARED = {"metric.acc": 0.05, "metric.nmi": 0.05, "metric.max_share": 0.05, "metric.effective_clusters": 0.5}


def place(name: str) -> Path:
    return FOLDER / f"{name}-{discovery.method(name).version}.json"


def narrow(name: str) -> dict[str, Any]:
    space = knobs_of(discovery.method(name).Config)
    sized = {knob: known for knob, known in space.items() if knob.endswith(("_width", "_dim", "batch_size"))}
    return {knob: max(known.domain.low, 32) for knob, known in sized.items() if isinstance(known.domain, Int)}


def rows(name: str, values: dict[str, Any]) -> list[Row]:
    torch.set_num_threads(1)
    whole = digits.load()
    data = Dataset("tiny", whole.inputs[:64], whole.labels[:64], 10)
    method = discovery.method(name)
    built = method([configured(method.Config, values, EPOCHS, name)], [SEED], data, torch.device("cpu"))
    found = []
    for epoch in range(EPOCHS):
        built.fit_epoch()
        found.append(built.evaluate(epoch == EPOCHS - 1)[0])
    return found


def loss_of(row: Row) -> float:
    return next(value for name, value in row.items() if name.endswith(".loss"))


@pytest.mark.parametrize("name", METHODS)
def test_numbers_do_not_move_without_a_raised_version(name: str) -> None:
    path = place(name)
    assert path.is_file(), f"no golden rows of {name}: run `python {Path(__file__).relative_to(Path.cwd())}`"
    golden = json.loads(path.read_text())
    assert golden["config"] == narrow(name), "the golden run is another one; raise the version and write it anew"
    for epoch, row in enumerate(rows(name, golden["config"])):
        kept = golden["rows"][epoch]
        assert loss_of(row) == pytest.approx(kept["loss"], rel=2e-4), f"{name}: loss after epoch {epoch + 1} moved"
        for metric, tolerance in COMPARED.items():
            assert row[metric] == pytest.approx(kept[metric], abs=tolerance), f"{name}: {metric} moved"


def main() -> None:
    """Write the files that are missing."""
    for name in METHODS:
        if not place(name).exists():
            values = narrow(name)
            kept = [{"loss": loss_of(row)} | {metric: row[metric] for metric in COMPARED} for row in rows(name, values)]
            place(name).write_text(json.dumps({"config": values, "rows": kept}, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
