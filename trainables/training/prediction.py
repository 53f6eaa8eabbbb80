"""Clusters of new points, by the state that was kept of a trial: the method is built again, and scores other points."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from safetensors.torch import load
from torch import Tensor

from orchestrator.errors import DataError, RequestError
from orchestrator.machine.process_settings import OwnSettings, imposed_by
from orchestrator.trial import Bundle, BundleTask, TrialSpec
from trainables.adapters.alone import Alone, Kept
from trainables.data.dataset import Dataset, all_finite
from trainables.method import Method
from trainables.precision import computing
from trainables.training.checkpoints import nested
from trainables.training.kept_files import watching
from trainables.training.numerics import configure_numerics, device_of

__all__ = ["Kept", "clusters_by_own", "clusters_of"]


def clusters_of(
    method: type[Method], spec: TrialSpec, data: Dataset, points: np.ndarray[Any, Any], weights: bytes
) -> np.ndarray[Any, Any]:
    """Return the cluster of each new point, (n,) int32, as the trial's method would have scored it.

    Args:
        method: class of the trial's method.
        spec: the trial.
        data: what it was trained on, under its protocol.
        points: (n, ...) numbers, each point of the form that the data's points have.
        weights: the safetensors file that was kept.

    Raises:
        DataError: the points do not fit the data's.
        RequestError: the method's state says nothing of other points than those that were fitted.
    """
    new = _as_inputs(points, data)
    n_extra = _n_extra(len(new), {len(data.inputs), len(data.eval_inputs)})
    shown = torch.cat([new, new[:1].expand(n_extra, *new.shape[1:])])
    other = replace(
        data, protocol="split", test_inputs=shown, test_labels=torch.full((len(shown),), -1), test_arrival=None
    )
    for name in ("digest", "inputs_digest"):  # what was made once from the data is that of the data
        other.__dict__[name] = getattr(data, name)
    hard = _scored(method, spec, other, weights)
    if hard is None or hard.shape != (1, len(shown)) or (hard[0, len(new) :] != hard[0, 0]).any():
        raise _without_rule(spec.method)
    return hard[0, : len(new)].astype(np.int32)


def clusters_by_own(
    method: type[Alone], spec: TrialSpec, data: Dataset, points: np.ndarray[Any, Any], kept: Kept
) -> np.ndarray[Any, Any]:
    """Return the cluster of each new point, (n,) int32, as a declared method says them.

    Args:
        method: that trains what is declared.
        spec: the trial.
        data: what it was given; what stands in its place, if it brings its own.
        points: (n, ...) numbers.
        kept: what was kept of the trial.

    Raises:
        DataError: the points do not fit, or what it says are no clusters.
        RequestError: it has no rule for other points, or what that needs was not kept.
    """
    own = method.declared
    inputs = (_as_inputs(points, data) if own.takes_data else _as_numbers(points)).numpy()
    device = device_of("cpu")
    configure_numerics(device, spec.precision, 1)
    built = method.built_for(
        [method.configured(spec)], [spec.root_seed], data, device, BundleTask(bundle=Bundle((spec,)))
    )
    try:
        found = np.asarray(built.assign(inputs, kept))
    finally:
        built.close()
    if found.shape != (len(inputs),) or found.dtype.kind not in "iu":
        raise DataError(
            f"{own.name} says {found.dtype} {found.shape} of them; allowed: one whole number for each of "
            f"{len(inputs)} points"
        )
    return found.astype(np.int32)


def _without_rule(method: str, error: Exception | None = None) -> RequestError:
    """Return what is said of a method that assigns no other points, with what it failed at, if it did."""
    failed = "" if error is None else f" (scoring others ends in {type(error).__name__}: {error})"
    return RequestError(
        f"{method} keeps the clusters of the points that it was given and no rule for others{failed}; its assignments "
        "are in the file that orchestrate trial names; allowed: methods that learn a network or centres"
    )


def _scored(method: type[Method], spec: TrialSpec, data: Dataset, weights: bytes) -> np.ndarray[Any, Any] | None:
    """Return the partition (1, N) of the points that are scored; None: nothing was scored.

    Raises:
        RequestError: it cannot be; the line has the error.
    """
    device = device_of("cpu")
    configure_numerics(device, spec.precision, 1)
    task = BundleTask(bundle=Bundle((spec,)))
    with watching(alone=True) as seen, computing(spec.precision), OwnSettings(imposed_by(method.__module__)).own():
        built = method.built_for([method.configured(spec)], [spec.root_seed], data, device, task)
        built.load_state_dict(nested(load(weights)))
        try:
            built.evaluate(True)
        except Exception as error:
            if not seen.partitions:  # else what failed is a diagnostic of the fitted points
                raise _without_rule(spec.method, error) from error
        finally:
            built.close()
    return seen.partitions[-1] if seen.partitions else None


def _as_inputs(points: np.ndarray[Any, Any], data: Dataset) -> Tensor:
    """Return points of the form that a dataset's have."""
    wanted = tuple(data.inputs.shape[1:])
    if points.dtype.kind not in "iufb" or points.shape[1:] != wanted or not len(points):
        raise DataError(
            f"the new points are {points.dtype} {points.shape}; allowed: numbers "
            f"(points, {', '.join(map(str, wanted))}), as the points of {data.name} are once loaded"
        )
    return _as_numbers(points)


def _as_numbers(points: np.ndarray[Any, Any]) -> Tensor:
    if points.dtype.kind not in "iufb":
        raise DataError(f"the new points are {points.dtype}; allowed: numbers")
    inputs = torch.from_numpy(np.array(points, dtype=np.float32))
    if not all_finite(inputs):
        raise DataError("the new points hold NaN or infinite numbers")
    return inputs


def _n_extra(n_points: int, taken: Collection[int]) -> int:
    """Return how often the first point is shown again, so that no number of points is that of the fitted ones."""
    return next(extra for extra in range(1, len(taken) + 2) if n_points + extra not in taken)
