"""Parcels of tasks: what a worker needs is put where it finds it, once for all bundles that need it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator.executors import declared_files
from orchestrator.executors.checkpoint_files import files_in
from orchestrator.executors.fence import Fences
from orchestrator.executors.ray_tune.datasets import DatasetKey, Loans, into_store
from orchestrator.executors.ray_tune.parcel import Content
from orchestrator.executors.user_code import packed
from orchestrator.own.declared import Declared
from orchestrator.trial import BundleTask

__all__ = ["Packing"]


class Packing:
    """What the workers of one cluster were given: datasets, the user's own code, what keeps two drivers apart."""

    def __init__(self) -> None:
        self._loans = Loans()
        self._fences = Fences()
        self._codes: dict[tuple[str, ...], tuple[str, tuple[Any, ...]]] = {}
        self._methods: dict[str, tuple[str, tuple[Any, ...]]] = {}

    def content(self, task: BundleTask, folder: str | None) -> Content:
        """Return what is in a task's parcel.

        Args:
            task: the bundle and what belongs to it.
            folder: the cluster's, where all workers are on this machine; None: they are elsewhere too.
        """
        files = () if folder is not None or not task.checkpoint_folder else files_in(Path(task.checkpoint_folder))
        word = self._fences.word(task)
        task = self._fences.fenced(task)
        files_ref = (into_store(files),) if files else ()
        code = self._code(task.plugins) if folder is None and task.plugins else None
        own = declared_files.of_task(task) if folder is None else None
        carried = None if own is None else self._declared(own, task.bundle.specs[0].declaration)
        return Content(task, self._loans.of(task, folder), word, code, carried, files_ref)

    def place(self, key: DatasetKey, folder: str) -> Path:
        """Return where workers of this machine keep a dataset.

        Args:
            key: of the dataset.
            folder: the cluster's.
        """
        return self._loans.place(key, folder)

    def clear(self) -> None:
        """Forget what was in the store of a cluster that is left."""
        self._loans.clear()
        self._codes.clear()
        self._methods.clear()

    def _code(self, plugins: tuple[str, ...]) -> tuple[str, tuple[Any, ...]]:
        """Return the user's own code for a worker on another machine: its digest and a reference to it."""
        if plugins not in self._codes:
            shipment = packed(plugins)
            self._codes[plugins] = (shipment.digest, (into_store(shipment.content),))
        return self._codes[plugins]

    def _declared(self, own: Declared, identity: str) -> tuple[str, tuple[Any, ...]]:
        """Return the files of a declared method likewise, as they were when its first bundle was handed out."""
        name = f"{own.name} {own.folder} {identity}"
        if name not in self._methods:
            shipment = declared_files.shipped(own)
            self._methods[name] = (shipment.digest, (into_store(shipment.content),))
        return self._methods[name]
