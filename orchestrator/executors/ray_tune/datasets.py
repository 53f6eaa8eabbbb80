"""How a dataset reaches the workers: once per machine, read in place, never copied into each process."""

from __future__ import annotations

import dataclasses
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

__all__ = ["InFiles", "InStore", "Loan", "from_store", "into_files", "into_store", "lent"]


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
