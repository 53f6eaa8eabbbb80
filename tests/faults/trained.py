"""Points under a reference: loaded, planned and trained on, or refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from answers import said

from orchestrator import discovery
from orchestrator.dataset_name import named
from orchestrator.errors import OrchestratorError
from orchestrator.ledger import Ledger

STUDY = """from orchestrator.designs.fixed import fixed
from orchestrator.study import Study
STUDY = Study(question="q", datasets=({reference!r},), seeds=2, n_epochs=1, exploratory=True, metric="neighbour_mi",
              protocol={protocol!r}, design=fixed({method!r}))
"""


def trains_or_is_refused(reference: str, protocol: str, method: str, folder: Path) -> None:
    """Assert that what a reference names is sound and trained on to the end, or refused in one line by its plan.

    Args:
        reference: of the dataset.
        protocol: of the study.
        method: that clusters it.
        folder: for the study's file and its results.
    """
    try:
        data = discovery.load_dataset(named(reference), protocol)
    except OrchestratorError as error:
        assert "\n" not in str(error)
        assert str(error).isprintable(), str(error)
        data = None
    if data is not None:
        is_sound(data)
    path = folder / "asked.py"
    path.write_text(STUDY.format(reference=reference, protocol=protocol, method=method))
    status, line = said(["plan", str(path), "--results", str(folder / "ran"), "--json"])
    if status == 0:
        assert data is not None or is_absent(reference), "planned, though it cannot be loaded"
        status, line = said(["run", str(path), "--results", str(folder / "ran"), "--address", "inline", "--no-report"])
        with Ledger(folder / "ran") as ledger:
            rows = ledger.trials()
        assert status == 1 if data is None else status in (0, 1), line
        assert len(rows) == (0 if data is None else 2)
        failed = rows[rows["state"] == "failed"]
        assert set(failed["failure_kind"]) <= {"diverged"}, failed["error"].tolist()


def is_absent(reference: str) -> bool:
    """Return whether a dataset says that it has to be fetched first: plans do without."""
    check = getattr(discovery.find("dataset", discovery.dataset_file(named(reference))), "absent", None)
    return check is not None and bool(check())


def is_sound(data: Any) -> None:
    """Assert that a dataset holds what every method may rely on."""
    for inputs, labels in ((data.inputs, data.labels), (data.eval_inputs, data.eval_labels)):
        assert len(inputs) == len(labels) > 0
        assert inputs.isfinite().all()
        assert str(inputs.dtype) == "torch.float32"
        assert str(labels.dtype) == "torch.int64"
        assert labels.min() >= -1
        assert labels.max() < max(data.n_classes, 1)
    assert data.n_clusters >= 1
