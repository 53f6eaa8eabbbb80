"""A method that a study's file declares as a value: plain facts, which a plan takes without running anything."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.errors import RequestError
from orchestrator.knobs import Knob
from orchestrator.metric import Metric
from orchestrator.own.contents import content_digest
from orchestrator.trial import TrialSpec, digest

__all__ = [
    "OWN_DATA",
    "PREDICTS",
    "Declared",
    "MethodName",
    "declaration_of",
    "folder_of_file",
    "loading",
    "metrics_from",
    "takes_data",
]

PREDICTS = "predicts"
"""Where `asks` says which function assigns new points."""

OWN_DATA = "own_data"
"""The dataset of a study whose methods bring their own data: there is nothing to load, and nobody knows its labels."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What is known of a method that a file declares; made by `command` and its like, which check it."""

    name: str
    adapter: str
    """The module of `trainables.adapters` that trains it."""
    knobs: Mapping[str, Knob]
    asks: Mapping[str, Any] = field(default_factory=dict)
    """What the adapter goes by, as JSON holds it: with the content of `data` it is what the method is."""
    folder: str
    """That of the file which declares it; what it names is relative to it."""
    code: Mapping[str, str] = field(default_factory=dict)
    """Files that it runs: a name that holds on every machine -> where the file is here."""
    data: Mapping[str, str] = field(default_factory=dict)
    """Files that it reads, likewise: other content is another trial."""
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Metric -> its facts (`orchestrator.metric.Metric`), of those that no file declares."""
    n_epochs: int = 1
    version: int = 1
    takes_data: bool = False
    """Whether it is given the study's dataset; else it brings its own."""
    takes_dataset: bool = True
    """Whether it is told which dataset the study is about."""
    takes_epochs: bool = True
    """Whether it can be told how many epochs to train."""
    most_members: int = 1
    """How many trials may share a bundle."""
    gpus: float = 1.0
    """GPUs a trial, where it is trained on GPUs."""
    cores: float = 1.0
    tolerance: float = 0.0
    """How far a metric may be from what it was when a trial is trained again, absolute or relative."""

    @property
    def named(self) -> MethodName:
        """The name that carries this declaration."""
        return MethodName(self)

    def metrics_with(self, known: Mapping[str, Metric]) -> dict[str, Metric]:
        """Return the metrics that are known, and those that it declares; of one that has a file, what is added.

        Raises:
            RequestError: facts that contradict those of the metric's file, or each other.
        """
        return {**known, **metrics_from(self.metrics, known)}

    @property
    def identity(self) -> str:
        """Digest of what is asked and of the content of the data, part of every trial's id; knobs and code apart."""
        content = {name: content_digest(Path(path)) for name, path in sorted(self.data.items())}
        return digest({"adapter": self.adapter, "asks": self._asked, "data": content})

    @property
    def _asked(self) -> dict[str, Any]:
        """What is asked of a training; how points are assigned afterwards is no part of it."""
        asks = {name: value for name, value in self.asks.items() if name != PREDICTS}
        return {name: "" if name == "predict" else value for name, value in asks.items()}

    def code_digest(self) -> str:
        """Return the digest of the code as its files are now, and of what is asked: the script is read at every trial.

        Raises:
            OSError: a file cannot be read.
        """
        content = hashlib.blake2b(digest({"adapter": self.adapter, "asks": self._asked}).encode(), digest_size=10)
        for name, path in sorted(self.code.items()):
            text = Path(path).read_bytes()
            content.update(f"{name}:{len(text)}:".encode() + text)
        return content.hexdigest()


class MethodName(str):
    """The name of a declared method: that text in every way, which carries the declaration to wherever it goes.

    So whoever takes the name of a method takes it: designs, plans, specs, tasks on their way to a worker.
    """

    declared: Declared

    def __new__(cls, declared: Declared) -> MethodName:
        """Make the text of a declaration."""
        name = super().__new__(cls, declared.name)
        name.declared = declared
        return name

    def __reduce__(self) -> tuple[type[MethodName], tuple[Declared]]:
        return MethodName, (self.declared,)


def metrics_from(facts: Mapping[str, Mapping[str, Any]], known: Mapping[str, Metric]) -> dict[str, Metric]:
    """Return declared metrics.

    Args:
        facts: name -> what is said of it.
        known: metrics that have a file: what is said of one of them is added to its own facts.

    Raises:
        RequestError: facts that contradict those of the metric's file, or each other.
    """
    found = {}
    for name, said in facts.items():
        base = known.get(name) or Metric(written=name.replace("_", " "))
        if base.reads_labels and not said.get("reads_labels", True):
            raise RequestError(f"metric {name!r} reads labels, whoever computes it")
        try:
            found[name] = replace(base, **said)
        except (ValueError, TypeError) as error:
            raise RequestError(f"metric {name!r}: {error}") from None
    return found


def declaration_of(method: object) -> Declared | None:
    """Return the declaration that a method's name carries, or that a function was given; None: there is none."""
    found = getattr(method, "declared", None)
    return found if isinstance(found, Declared) else None


def takes_data(spec: TrialSpec) -> bool:
    """Return whether the study's dataset has to be loaded to train a trial."""
    own = declaration_of(spec.method)
    return own is None or own.takes_data


_folder: ContextVar[str] = ContextVar("_folder", default="")


@contextmanager
def loading(file: Path) -> Iterator[None]:
    """Have what is declared within the block be relative to the folder of a file."""
    token = _folder.set(str(file.resolve().parent))
    try:
        yield
    finally:
        _folder.reset(token)


def folder_of_file() -> str:
    """Return the folder of the file that is being loaded, or the current one."""
    return _folder.get() or os.getcwd()
