"""Human activity: seven shoulder exercises of ten people, six channels of a smartwatch (arXiv 1802.01489), by seglearn.

Windows of 2 s (100 samples at 50 Hz) overlap by half; each becomes 16 features a channel, or with `watch:form=windows`
stays the recording that it is, (1, 100, 6), as the network over time takes it. Train and test part share no person, so
the windows of one recording never stand on both sides.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import torch

from orchestrator.errors import DataError, RequestError
from trainables.data.dataset import Dataset
from trainables.data.series import window_features

__all__ = ["absent", "load"]

WINDOW, STEP = 100, 50
TEST_SUBJECTS = (8, 9, 10)
Floats = np.ndarray[Any, np.dtype[np.float64]]


def load(form: str = "features") -> Dataset:
    """Return the windows as (3193 + 1484, 96) features, centred and scaled by the people of the train part.

    k-means has NMI 0.71 on all of them. As `windows` they are (3193 + 1484, 1, 100, 6), scaled by channel.

    Raises:
        DataError: seglearn is not installed (the line says how to bring it).
        RequestError: there is no such form.
    """
    if form not in ("features", "windows"):
        raise RequestError(f"dataset watch: form = {form!r}, allowed: features, windows")
    file = _file()
    if file is None:
        raise DataError(absent())
    content = np.load(file, allow_pickle=True).item()  # a file of an installed package is code as its modules are
    rows: list[Floats] = []
    labels: list[int] = []
    subjects: list[int] = []
    for series, label, subject in zip(content["X"], content["y"], content["subject"], strict=True):
        starts = range(0, len(series) - WINDOW + 1, STEP)
        windows = [np.asarray(series[start : start + WINDOW], dtype=np.float64) for start in starts]
        rows += windows if form == "windows" else [window_features(window) for window in windows]
        labels += [int(label)] * len(starts)
        subjects += [int(subject)] * len(starts)
    points, classes = np.stack(rows), torch.tensor(labels)
    held_out = np.isin(subjects, TEST_SUBJECTS)
    over = (0, 1) if form == "windows" else 0
    scale = points[~held_out].std(over)
    points = (points - points[~held_out].mean(over)) / np.where(scale > 0, scale, 1.0)
    inputs, test = torch.from_numpy(points).float(), torch.from_numpy(held_out)
    inputs = inputs.unsqueeze(1) if form == "windows" else inputs
    return Dataset("watch", inputs[~test], classes[~test], 7, inputs[test], classes[test])


def absent(form: str = "features") -> str:
    """Return one line that says how to bring the data, the same for both forms; empty if they are here."""
    del form
    if _file() is not None:
        return ""
    return "dataset watch is part of seglearn, which is absent; this brings it: pip install --no-deps seglearn"


def _file() -> Path | None:
    """Return where seglearn has the data, without importing it; None where it is absent."""
    found = importlib.util.find_spec("seglearn")
    places = list(found.submodule_search_locations or ()) if found else []
    files = [Path(place, "data", "watch_dataset.npy") for place in places]
    return next((file for file in files if file.is_file()), None)
