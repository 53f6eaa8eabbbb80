"""How a dataset reaches the workers: once per machine, read in place, never copied into each process."""

from __future__ import annotations

import dataclasses
import fcntl
import pickle
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from orchestrator import discovery
from orchestrator.discovery import DatasetKey
from orchestrator.errors import OrchestratorError
from orchestrator.own.declared import takes_data
from orchestrator.trial import BundleTask

__all__ = [
    "DatasetKey",
    "InFiles",
    "InStore",
    "Loan",
    "Loans",
    "OnFirstUse",
    "from_store",
    "into_files",
    "into_store",
    "lent",
]

LENT = "loan"
"""The file that says that the others are complete."""


class Loan(Protocol):
    """A dataset as a parcel carries it."""

    def open(self) -> Any:
        """Return the dataset."""


@dataclass(frozen=True)
class InFiles:
    """Arrays in files that every worker of this machine maps into memory: the kernel keeps one copy of them.

    A worker that writes into one gets pages of its own. The object store would do as well, but a driver that owns
    something in it is ended by Ray when Ray ends, before it could leave in good order.
    """

    folder: str
    arrays: tuple[str, ...]
    rest: bytes

    def open(self) -> Any:
        """Return the dataset, its tensors on the mapped files."""
        import torch

        mapped = {name: np.load(f"{self.folder}/{name}.npy", mmap_mode="c") for name in self.arrays}
        return _built(self.rest, {name: torch.from_numpy(array) for name, array in mapped.items()})


@dataclass(frozen=True)
class OnFirstUse:
    """A dataset that the first worker of this machine that needs it loads, and puts into files for all others."""

    folder: str
    """Of this dataset alone; its parent may not be there either."""
    reference: str
    protocol: str
    plugins: tuple[str, ...]

    def open(self) -> Any:
        """Return the dataset, its tensors on mapped files.

        Raises:
            DataError: it cannot be loaded.
        """
        place = Path(self.folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(f"{place}.lock", "w") as lock:  # another worker may be loading it
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (place / LENT).is_file():
                shutil.rmtree(place, ignore_errors=True)  # of a worker that was killed
                loan = into_files(discovery.new_dataset(self.reference, self.protocol, self.plugins), place)
                (place / LENT).write_bytes(pickle.dumps(loan))
        return pickle.loads((place / LENT).read_bytes()).open()  # a file of this driver's own workers


@dataclass(frozen=True)
class InStore:
    """Arrays in Ray's object store, which brings them to each node once; that memory cannot be written to."""

    arrays: tuple[Any, ...]
    """The one reference; in a tuple, so that Ray does not fetch it before it is asked to."""
    rest: bytes

    def open(self) -> Any:
        """Return the dataset, its tensors on the store's memory."""
        import torch

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The given NumPy array is not writ")
            tensors = {name: torch.from_numpy(array) for name, array in from_store(self.arrays[0]).items()}
        return _built(self.rest, tensors)


class Loans:
    """What the workers of one cluster are lent: each dataset once."""

    def __init__(self) -> None:
        self._in_store: dict[DatasetKey, Loan] = {}
        self._places: dict[DatasetKey, int] = {}

    def of(self, task: BundleTask, folder: str | None) -> Loan | None:
        """Return the loan of a task's dataset; None: it cannot be loaded, as the worker will find too, and report.

        Args:
            task: its dataset, protocol and plugins matter.
            folder: the cluster's, where all workers are on this machine; None: they are elsewhere too.
        """
        spec = task.bundle.specs[0]
        if not takes_data(spec):
            return None
        key = (spec.dataset, spec.protocol, task.plugins)
        if folder is not None:
            return OnFirstUse(str(self.place(key, folder)), *key)
        if key not in self._in_store:
            try:
                dataset = discovery.load_dataset(*key)
            except OrchestratorError:
                return None
            self._in_store[key] = lent(dataset)
        return self._in_store[key]

    def place(self, key: DatasetKey, folder: str) -> Path:
        """Return where workers of this machine keep a dataset.

        Args:
            key: of the dataset.
            folder: the cluster's.
        """
        return Path(folder, "data", str(self._places.setdefault(key, len(self._places))))

    def clear(self) -> None:
        """Forget what was in the store of a cluster that is left."""
        self._in_store.clear()


def into_files(dataset: Any, folder: Path) -> InFiles:
    """Write a dataset's tensors into a new folder."""
    arrays, rest = _parts(dataset)
    folder.mkdir(parents=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return InFiles(str(folder), tuple(arrays), rest)


def lent(dataset: Any) -> InStore:
    """Put a dataset's tensors into the object store of the cluster this process is connected to."""
    arrays, rest = _parts(dataset)
    return InStore((into_store(arrays),), rest)


def into_store(content: Any) -> Any:
    """Put something into the object store; return the reference, which brings it to whoever asks for it."""
    import ray

    return ray.put(content)


def from_store(reference: Any) -> Any:
    """Return what `into_store` put there."""
    import ray

    return ray.get(reference)


def _parts(dataset: Any) -> tuple[dict[str, np.ndarray[Any, Any]], bytes]:
    """Return a dataset's tensors as arrays, and its class with the other fields.

    The latter pickled: Ray unpacks a parcel before the worker's search path is the driver's, and would import the
    class from the driver's current directory.
    """
    fields = {field.name: getattr(dataset, field.name) for field in dataclasses.fields(dataset)}
    arrays = {name: np.ascontiguousarray(value.numpy()) for name, value in fields.items() if hasattr(value, "numpy")}
    plain = {name: value for name, value in fields.items() if name not in arrays}
    return arrays, pickle.dumps((type(dataset), plain))


def _built(rest: bytes, tensors: Mapping[str, Any]) -> Any:
    kind, plain = pickle.loads(rest)
    return kind(**plain, **tensors)
