"""What a plan must know of methods and datasets, as plain values, and their form in a cache."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.knobs import Knob
from orchestrator.own.declared import Declared

__all__ = ["DatasetFacts", "MethodFacts", "dataset_from_json", "method_from_json", "to_json"]


@dataclass(frozen=True, kw_only=True)
class MethodFacts:
    """What a plan must know of a method."""

    name: str
    version: int
    code_digest: str
    """Of its file and what that imports (`provenance`)."""
    knobs: Mapping[str, Knob]
    n_epochs: int
    """The budget at its defaults."""
    precisions: tuple[str, ...]
    own: Declared | None = None
    """What declares it, if that is no file of the project's form; such facts are never kept."""
    declaration: str = ""
    """Digest of what is declared, as trials carry it."""

    @property
    def named(self) -> str:
        """Its name as trials carry it: that of a declared method brings the declaration along."""
        return self.name if self.own is None else self.own.named

    @classmethod
    def of_declared(cls, own: Declared) -> MethodFacts:
        """Return the facts of a declared method.

        Raises:
            OSError: a file that it names cannot be read.
        """
        return cls(
            name=own.name,
            version=own.version,
            code_digest=own.code_digest(),
            knobs=own.knobs,
            n_epochs=own.n_epochs,
            precisions=("float32",),
            own=own,
            declaration=own.identity,
        )


@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """What a plan must know of a dataset under a protocol."""

    digest: str
    """Of its content; empty: it is not here."""
    absent: str = ""
    """Why it cannot be loaded, if it cannot."""
    n_points: int = 0
    """How many are fitted."""
    n_scored: int = 0
    n_numbers: int = 0
    """Of one point."""
    n_classes: int = 0
    n_clusters: int = 0
    """How many methods look for."""
    n_labelled: int = 0
    """How many of the scored points have a label."""
    inputs_digest: str = ""
    """Of its content without the labels."""


def to_json(facts: Any) -> dict[str, Any]:
    """Return facts of a method or a dataset, or one of the engine's own words in them, as JSON holds them.

    Raises:
        TypeError: they hold what neither JSON nor the engine's own words (`Knob`, domains) can say.
    """
    return {field.name: _written(getattr(facts, field.name)) for field in dataclasses.fields(facts)}


def method_from_json(content: Any) -> MethodFacts:
    """Return what `to_json` was given; other content raises KeyError, TypeError, ValueError or AttributeError."""
    return MethodFacts(**_fields(content))


def dataset_from_json(content: Any) -> DatasetFacts:
    """Return what `to_json` was given; other content raises KeyError, TypeError, ValueError or AttributeError."""
    return DatasetFacts(**_fields(content))


def _fields(content: Any) -> dict[str, Any]:
    return {name: _read(value) for name, value in content.items()}


def _written(value: Any) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, tuple):
        return {"tuple": [_written(one) for one in value]}
    if isinstance(value, Mapping):
        return {"mapping": [[_written(name), _written(one)] for name, one in value.items()]}
    kind = type(value)
    if _is_word(kind):
        return {f"{kind.__module__}:{kind.__name__}": to_json(value)}
    raise TypeError(f"{value!r} of kind {kind.__name__} cannot be kept")


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tuple":
        return tuple(_read(one) for one in content)
    if kind == "mapping":
        return {_read(name): _read(one) for name, one in content}
    module, _, name = kind.partition(":")
    named = getattr(sys.modules.get(module), name)
    if not _is_word(named):
        raise ValueError(f"{kind!r} is nothing that a knob is made of")
    made = object.__new__(named)  # past the constructor, which may take its values in another form
    for field in dataclasses.fields(named):
        object.__setattr__(made, field.name, _read(content[field.name]))
    return made


def _is_word(kind: Any) -> bool:
    """Return whether a class is one of the plain dataclasses directly in `orchestrator`, which knobs are made of."""
    return dataclasses.is_dataclass(kind) and kind.__module__.rpartition(".")[0] == "orchestrator"
