"""What a plan must know of methods and datasets: facts as plain values, each looked up once.

A plan takes facts alone. Only `member_limit` builds on a method's class and loaded data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator import discovery
from orchestrator.errors import DataError
from orchestrator.knobs import Knob, knobs_of
from orchestrator.trial import TrialSpec

__all__ = ["Catalogue", "DatasetFacts", "MethodFacts"]


@dataclass(frozen=True, kw_only=True)
class MethodFacts:
    """What a plan must know of a method."""

    name: str
    version: int
    knobs: Mapping[str, Knob]
    n_epochs: int
    """The budget at its defaults."""
    precisions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """What a plan must know of a dataset under a protocol."""

    digest: str
    """Of its content; empty: it is not here."""
    absent: str = ""
    """Why it cannot be loaded, if it cannot."""


class Catalogue:
    """The methods and datasets that plans refer to, each looked up once.

    Args:
        plugins: folders with a user's own methods and datasets.
        without_data: whether a dataset that cannot be loaded may be planned with; nothing of it is a hit then.
    """

    def __init__(self, plugins: Sequence[str] = (), *, without_data: bool = False) -> None:
        self.plugins, self.without_data = tuple(plugins), without_data
        self._methods: dict[str, MethodFacts] = {}
        self._datasets: dict[tuple[str, str], DatasetFacts] = {}
        self._chance: dict[tuple[str, str], Mapping[str, float]] = {}

    def method(self, name: str) -> MethodFacts:
        """Return the facts of a method.

        Raises:
            UnknownNameError: there is no such method.
        """
        if name not in self._methods:
            found = discovery.method(name, self.plugins)
            self._methods[name] = MethodFacts(
                name=name,
                version=found.version,
                knobs=knobs_of(found.Config),
                n_epochs=found.Config().n_epochs,
                precisions=tuple(found.precisions),
            )
        return self._methods[name]

    def space(self, name: str) -> Mapping[str, Knob]:
        """Return a method's knobs."""
        return self.method(name).knobs

    def spaces(self, names: Sequence[str]) -> dict[str, Mapping[str, Knob]]:
        """Return the knobs of several methods."""
        return {name: self.space(name) for name in names}

    def dataset(self, reference: str, protocol: str) -> DatasetFacts:
        """Return the facts of a dataset.

        Raises:
            DataError: it cannot be loaded, and plans without data are not allowed.
        """
        key = (reference, protocol)
        if key not in self._datasets:
            try:
                found = discovery.load_dataset(reference, protocol, self.plugins)
            except DataError as error:
                if not self.without_data:
                    raise
                self._datasets[key] = DatasetFacts(digest="", absent=str(error))
            else:
                self._datasets[key] = DatasetFacts(digest=str(found.digest))
        return self._datasets[key]

    def chance(self, reference: str, protocol: str) -> Mapping[str, float]:
        """Return metric -> what random partitions score on a dataset that is here."""
        key = (reference, protocol)
        if key not in self._chance:
            found = discovery.load_dataset(reference, protocol, self.plugins)
            scoring = discovery.scoring()
            self._chance[key] = scoring.chance_levels(found.eval_labels, found.n_classes, self.plugins)
        return self._chance[key]

    @property
    def absent(self) -> dict[str, str]:
        """Reference -> why it cannot be loaded, of the datasets that were asked for and are not here."""
        return {reference: facts.absent for (reference, _), facts in self._datasets.items() if facts.absent}

    def member_limit(self, spec: TrialSpec) -> int:
        """Return the largest bundle that the method allows for the shape of `spec`."""
        found: Any = discovery.method(spec.method, self.plugins)
        config = found.Config(**spec.config, n_epochs=spec.n_epochs)
        return int(found.max_members(config, discovery.load_dataset(spec.dataset, spec.protocol, self.plugins)))
