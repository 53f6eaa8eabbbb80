"""A dataset as a file, without labels, for programs that read their data themselves; made once a process."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from trainables.data.dataset import Dataset

__all__ = ["dataset_file"]

_files: WeakKeyDictionary[Dataset, Path] = WeakKeyDictionary()


def dataset_file(data: Dataset) -> Path:
    """Return a .npz file of a dataset: `x` is fitted, `x_test` is scored under the protocol split, `n_clusters`.

    Labels are not in it: whoever writes `assignments.npy` is scored here.
    """
    if data not in _files:
        folder = Path(tempfile.mkdtemp(prefix="orchestrate-data-"))
        atexit.register(_remove, folder, os.getpid())
        arrays = {"x": data.inputs.numpy(), "n_clusters": np.array(data.n_clusters)}
        if data.eval_inputs is not data.inputs:
            arrays["x_test"] = data.eval_inputs.numpy()
        np.savez(folder / "data.npz", **arrays)  # type: ignore[arg-type]  # arrays by name
        _files[data] = folder / "data.npz"
    return _files[data]


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
