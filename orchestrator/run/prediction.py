"""`orchestrate predict`: clusters of new points, by the weights that a study kept of a trial."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator import discovery
from orchestrator.errors import DataError, RequestError
from orchestrator.ledger import Ledger, plain_files
from orchestrator.own.declared import Declared
from orchestrator.own.template import put, split
from orchestrator.run.verification import complete_rows, declare_methods, spec_of
from orchestrator.trial import TrialSpec

__all__ = ["predict"]

Array = np.ndarray[Any, Any]

TAIL = 300
"""Characters of what a command said last."""


def predict(results: Path, trial_id: str, data: Path, out: Path | None, plugins: tuple[str, ...]) -> dict[str, Any]:
    """Write the cluster of each new point; return the trial, where they are, and how many points each cluster has.

    Args:
        results: the results folder.
        trial_id: of a complete trial, or enough of its beginning.
        data: a .npy file, (n, ...) numbers as the dataset's points are once loaded.
        out: the .npy file to write; None: DATA.clusters.npy.
        plugins: folders with a user's own files.

    Raises:
        RequestError: no such trial, nothing is kept of it, or its method has no rule for other points.
        DataError: the points or the kept file are not what they should be.
    """
    target = out or data.with_name(f"{data.stem}.clusters.npy")
    if target.suffix != ".npy":
        raise RequestError(f"--out {str(target)!r}: allowed is a name that ends in .npy")
    points = _points(data)
    spec, kept = _kept(results, trial_id, plugins)
    own = discovery.declared(spec.method, plugins)
    if own is None:
        clusters = _by_method(spec, _weights(spec, kept), points, plugins)
    elif own.identity != spec.declaration:
        raise RequestError(f"what its study's file asks of {spec.method}, or its data, has changed since")
    elif own.adapter == "command":
        clusters = _by_command(own, spec, _weights(spec, kept), data, len(points))
    else:
        clusters = _by_object(own, spec, kept, points, plugins)
    try:
        with target.open("wb") as file:
            np.save(file, clusters, allow_pickle=False)
    except OSError as error:
        raise RequestError(f"--out {str(target)!r} cannot be written: {error.strerror or error}") from error
    names, counts = np.unique(clusters, return_counts=True)
    return {
        "trial_id": spec.trial_id,
        "points": len(clusters),
        "clusters": {int(name): int(count) for name, count in zip(names, counts, strict=True)},
        "file": str(target),
        "sentence": f"{len(clusters)} points in {len(names)} clusters by trial {spec.trial_id}: {target}",
    }


def _points(path: Path) -> Array:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise RequestError(f"{str(path)!r} is no .npy file of numbers: {error}") from error
    if not isinstance(found, np.ndarray) or found.ndim < 2 or not len(found):
        raise RequestError(f"{str(path)!r} holds no points; allowed: an array of (points, ...) numbers in a .npy file")
    return found


def _kept(results: Path, trial_id: str, plugins: tuple[str, ...]) -> tuple[TrialSpec, Mapping[str, Path]]:
    """Return a complete trial and what is kept of it, by what it is."""
    discovery.use_plugins(plugins)
    rows = complete_rows("", results)
    if len(rows):
        rows = rows[rows["trial_id"].str.startswith(trial_id)]
    if len(rows) != 1:
        raise RequestError(
            f"trial id {trial_id!r} fits {len(rows)} complete trials of studies in {str(results)!r}; give one trial's "
            "id, or enough of its beginning"
        )
    spec = spec_of(rows.iloc[0])
    with Ledger(results) as ledger:
        kept = ledger.kept.of(spec.trial_id)
    if spec.declaration:
        declare_methods("", results)
    return spec, kept


def _weights(spec: TrialSpec, kept: Mapping[str, Path]) -> Path:
    """Return the file of a trial's weights."""
    if "weights" not in kept:
        there = f"there is only: {', '.join(kept)}" if kept else "nothing is"
        raise RequestError(
            f"no weights are kept of trial {spec.trial_id} ({there}); run its study with --set keep=confirm, and its "
            "method has to leave some: a method of the project's form, or a command with predict="
        )
    return kept["weights"]


def _content(path: Path) -> bytes:
    """Return a kept file, whose name is its content's digest."""
    try:
        content = plain_files.read(path)
    except OSError as error:
        raise DataError(f"kept file {str(path)!r} cannot be read: {error.strerror or error}") from error
    if hashlib.blake2b(content, digest_size=16).hexdigest() != path.name.partition(".")[0]:
        raise DataError(f"kept file {str(path)!r} is damaged: its content does not match its name")
    return content


def _by_method(spec: TrialSpec, weights: Path, points: Array, plugins: tuple[str, ...]) -> Array:
    method = discovery.method(spec.method, plugins)
    if method.version != spec.method_version:
        raise RequestError(f"version {spec.method_version} of {spec.method} is not the one installed")
    data = _dataset(spec, plugins)
    found: Array = discovery.prediction().clusters_of(method, spec, data, points, _content(weights))
    return found


def _dataset(spec: TrialSpec, plugins: tuple[str, ...]) -> Any:
    """Return what a trial was trained on."""
    data = discovery.load_dataset(spec.dataset, spec.protocol, plugins)
    if data.digest != spec.dataset_digest:
        raise DataError(f"dataset {spec.dataset!r} has changed since trial {spec.trial_id} was trained")
    return data


def _by_object(
    own: Declared, spec: TrialSpec, files: Mapping[str, Path], points: Array, plugins: tuple[str, ...]
) -> Array:
    """Ask a function, a clusterer or a module of the study's file; of the results folder only arrays are read."""
    prediction = discovery.prediction()
    weights = _content(files["weights"]) if "weights" in files else None
    known = _assignments(_content(files["assignments"])) if "assignments" in files else None
    data = _dataset(spec, plugins) if own.takes_data else discovery.no_data()
    method = discovery.method(spec.method, plugins)
    found: Array = prediction.clusters_by_own(method, spec, data, points, prediction.Kept(weights, known))
    return found


def _assignments(content: bytes) -> Array:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found: Array = pq.read_table(pa.BufferReader(content), columns=["cluster"])["cluster"].to_numpy()
    except (pa.ArrowException, KeyError) as error:
        raise DataError(f"the kept assignments are no table of clusters: {error}") from error
    return found


def _by_command(own: Declared, spec: TrialSpec, weights: Path, data: Path, n_points: int) -> Array:
    """Run the line that a command says for it, and return what it writes at `{out}`."""
    line = str(own.asks.get("predict", ""))
    if not line:
        raise RequestError(f"{spec.method} says no line for it; allowed: command(..., predict='python train.py ...')")
    _content(weights)  # whole
    words, variables = split(line, f"predict of {spec.method}")
    with tempfile.TemporaryDirectory(prefix="orchestrate-predict-") as folder:
        out = Path(folder, "clusters.npy")
        values: dict[str, Any] = {"weights": str(weights.resolve()), "data": str(data.resolve()), "out": str(out)}
        values = {**own.data, **spec.config, **values}
        command = [put(word, values) for word in words]
        command[0] = sys.executable if command[0] in ("python", "python3") else command[0]
        environment = {name: put(text, values) for name, text in variables.items()}
        _run(command, own, environment)
        try:
            found: Array = np.load(out, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise DataError(f"{spec.method} wrote no .npy file at {{out}}: {error}") from error
    if found.shape != (n_points,) or found.dtype.kind not in "iu":
        raise DataError(
            f"{spec.method} wrote {found.dtype} {found.shape} at {{out}}; allowed: one whole number for each of "
            f"{n_points} points"
        )
    return found


def _run(command: list[str], own: Declared, variables: dict[str, str]) -> None:
    try:
        done = subprocess.run(
            command, cwd=own.folder, env={**os.environ, **variables}, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise RequestError(f"{' '.join(command)!r} cannot be started: {error.strerror or error}") from error
    if done.returncode:
        said = " ".join((done.stderr or done.stdout)[-TAIL:].split())
        raise DataError(f"{' '.join(command)!r} ended with status {done.returncode}: {said}")
