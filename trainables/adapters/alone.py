"""What all methods have in common that are trained one trial at a time, and told where."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save

from orchestrator.errors import DataError, RequestError
from orchestrator.knobs import canonical
from orchestrator.metric import Metric
from orchestrator.own.declared import Declared
from orchestrator.trial import BundleTask, TrialSpec
from trainables.data.dataset import Dataset
from trainables.method import Method, MethodConfig, Row
from trainables.scoring import score

__all__ = ["Alone", "Kept", "Points", "Trial", "as_npy", "points_of", "row_of", "scores_of", "weights_file"]

Self = TypeVar("Self", bound="Alone")


@dataclass(frozen=True)
class Trial:
    """One trial, and where it is trained."""

    config: Any
    """Its knobs and n_epochs, as attributes."""
    seed: int
    data: Dataset
    device: torch.device
    task: BundleTask

    @property
    def spec(self) -> TrialSpec:
        """Its spec: bundles of such methods have one member."""
        return self.task.bundle.specs[0]

    @cached_property
    def knobs(self) -> dict[str, Any]:
        """Name -> value, without the epochs."""
        return {name: value for name, value in vars(self.config).items() if name != "n_epochs"}


class Alone(Method):
    """A declared method whose trials are trained one by one."""

    declared: ClassVar[Declared]
    Config = MethodConfig

    def __init__(self, configs: Sequence[Any], seeds: Sequence[int], data: Dataset, device: torch.device) -> None:
        raise TypeError("a declared method is told where it is trained: built_for")

    @classmethod
    def built_for(
        cls: type[Self],
        configs: Sequence[Any],
        seeds: Sequence[int],
        data: Dataset,
        device: torch.device,
        task: BundleTask,
    ) -> Self:
        """Return the method for the one trial of a task."""
        (config,), (seed,) = configs, seeds
        built = cls.__new__(cls)
        built.begin(Trial(config, seed, data, device, task))
        return built

    @classmethod
    def configured(cls, spec: TrialSpec) -> Any:
        """Return the knobs of a trial, and its n_epochs, as attributes; every knob is there."""
        full = canonical(cls.declared.knobs, spec.config, spec.method)
        return SimpleNamespace(**full, n_epochs=spec.n_epochs)

    def begin(self, trial: Trial) -> None:
        """Take up a trial; called once, before everything else."""
        raise NotImplementedError

    def keep(self, members: Sequence[int]) -> None:
        """Nothing to drop: there is one member."""

    def kept_files(self) -> dict[str, bytes]:
        """Return what it leaves to be kept, once it is complete, as `trial.Report.kept` has it; most leave nothing."""
        return {}

    def assign(self, points: npt.NDArray[np.float32], kept: Kept) -> npt.NDArray[Any]:
        """Return the cluster of each new point.

        Args:
            points: (n, ...) numbers, of the form of those that it was given.
            kept: what was kept of its trial.

        Raises:
            RequestError: its kind of method has no rule for other points, or what that needs was not kept.
        """
        raise RequestError(f"{self.declared.name} has no rule for other points than its own")


class Kept(NamedTuple):
    """What a study kept of a trial."""

    weights: bytes | None
    """A safetensors file."""
    assignments: npt.NDArray[np.int32] | None
    """(N,) clusters of the scored points, counted from 0."""


class Points(NamedTuple):
    """What a user's own code is given of a dataset: no labels."""

    x: npt.NDArray[np.float32]
    """(N, d), or (N, C, H, W) of images: what is fitted."""
    x_test: npt.NDArray[np.float32] | None
    """What is scored under the protocol split; None: `x` is."""
    n_clusters: int
    """How many are looked for: as many as the dataset has classes, unless its `clusters=` says another number."""


def points_of(data: Dataset) -> Points:
    """Return the points of a dataset."""
    test = None if data.eval_inputs is data.inputs else data.eval_inputs.numpy()
    return Points(data.inputs.numpy(), test, data.n_clusters)


def scores_of(labels: npt.NDArray[Any], data: Dataset, *, last: bool) -> Row:
    """Return the scores of clusters by any whole numbers; -1, for noise, is one of them, and its share a diagnostic.

    Raises:
        DataError: not one whole number for each scored point.
    """
    found = np.asarray(labels)
    if found.shape != (len(data.eval_inputs),) or (found.size and not np.array_equal(found, found.astype(np.int64))):
        raise DataError(
            f"its assignments have the shape {found.shape} and kind {found.dtype}; they are one whole number for each "
            f"of {len(data.eval_inputs)} points"
        )
    names, clusters = np.unique(found.astype(np.int64), return_inverse=True)
    n_clusters = max(len(names), data.n_clusters)
    (row,) = score(torch.from_numpy(clusters.reshape(1, -1).astype(np.int64)), data, n_clusters, last)
    noise = {"diagnostic.noise": float(np.mean(found == -1))} if -1 in names else {}
    return {**row, **noise}


def row_of(numbers: Mapping[str, float], known: Mapping[str, Metric]) -> Row:
    """Return reported numbers as a row of the ledger: columns of their names.

    Raises:
        DataError: a share that is none.
    """
    row: Row = {}
    for name, value in numbers.items():
        if name in known and known[name].percent and not -1.0 <= value <= 1.0 and value == value:  # noqa: PLR0124  NaN
            raise DataError(
                f"it reports {name} = {value:g}, which is a share: at most 1; divide it by 100, or give it a name of "
                "its own"
            )
        row[name if name.startswith("diagnostic.") else f"metric.{name}"] = value
    return row


def weights_file(weights: Mapping[str, Any]) -> bytes:
    """Return arrays or tensors by name as a safetensors file, which no reader can be made to run code by.

    Raises:
        DataError: something is none.
    """
    found = {}
    for name, given in weights.items():
        try:
            found[str(name)] = torch.as_tensor(given).detach().cpu().clone().contiguous()
        except (TypeError, ValueError, RuntimeError) as error:
            raise DataError(f"its weights {name!r} are {type(given).__name__}; allowed: arrays of numbers") from error
    content: bytes = save(found)
    return content


def as_npy(array: npt.NDArray[Any]) -> bytes:
    """Return an array as the content of a .npy file."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()
