"""The methods and datasets that plans refer to: facts as plain values, each looked up once.

A plan takes facts alone. What is known from before (`kept_facts`) is neither imported nor loaded again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator import discovery
from orchestrator.dataset_name import LOADER
from orchestrator.errors import DataError, RequestError
from orchestrator.knobs import Knob, knobs_of
from orchestrator.own.declared import OWN_DATA, Declared, declaration_of
from orchestrator.plan import kept_facts
from orchestrator.plan.facts import DatasetFacts, MethodFacts
from orchestrator.provenance import code_digest
from orchestrator.trial import TrialSpec

__all__ = ["Catalogue", "DatasetFacts", "MethodFacts"]


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
        own, known = declaration_of(name), self._methods.get(name)
        if own is not None and (known is None or known.own != own):
            self._methods[name] = _declared(own)
        elif known is None:
            self._methods[name] = kept_facts.method_facts(name, self.plugins, lambda: self._imported(name))
        return self._methods[name]

    def space(self, name: str) -> Mapping[str, Knob]:
        """Return a method's knobs."""
        return self.method(name).knobs

    def spaces(self, names: Iterable[str]) -> dict[str, Mapping[str, Knob]]:
        """Return the knobs of several methods."""
        return {name: self.space(name) for name in names}

    def dataset(self, reference: str, protocol: str) -> DatasetFacts:
        """Return the facts of a dataset.

        Raises:
            DataError: it cannot be loaded, and plans without data are not allowed.
        """
        key = (reference, protocol)
        if reference == OWN_DATA:
            return DatasetFacts(digest=OWN_DATA)
        if key not in self._datasets:
            try:
                self._datasets[key] = kept_facts.dataset_facts(
                    reference, protocol, self.plugins, lambda: self._loaded(reference, protocol)
                )
            except DataError as error:
                if not self.without_data or discovery.dataset_file(reference) == LOADER:  # a path: nothing is to come
                    raise
                self._datasets[key] = DatasetFacts(digest="", absent=str(error))
        return self._datasets[key]

    def chance(self, reference: str, protocol: str) -> Mapping[str, float]:
        """Return metric -> what random partitions score on a dataset that is here."""
        if reference == OWN_DATA:  # what declared metrics say, and those that are 0 by their definition
            known = discovery.metrics(self.plugins)
            return {name: metric.chance for name, metric in known.items() if isinstance(metric.chance, int | float)}
        key = (reference, protocol)
        if key not in self._chance:
            metrics = []
            for name in discovery.names("metric", self.plugins):
                metrics.append(kept_facts.code_key("metric", name, self.plugins))
            facts = self.dataset(reference, protocol)
            self._chance[key] = kept_facts.kept(
                ["chance", facts.digest, protocol, *metrics], lambda: self._chance_levels(reference, protocol)
            )
        return self._chance[key]

    @property
    def absent(self) -> dict[str, str]:
        """Reference -> why it cannot be loaded, of the datasets that were asked for and are not here."""
        return {reference: facts.absent for (reference, _), facts in self._datasets.items() if facts.absent}

    def member_limit(self, spec: TrialSpec) -> int:
        """Return the largest bundle that the method allows for the shape of `spec`.

        Knobs that fuse differ within a bundle, so that no limit follows from them: one is known for all of a search.
        """
        own = declaration_of(spec.method)
        if own is not None:
            return own.most_members
        code = kept_facts.code_key("method", spec.method, self.plugins)
        data = [spec.dataset, spec.dataset_digest, spec.protocol]
        space = self.space(spec.method)
        shape = {name: value for name, value in spec.config.items() if name not in space or not space[name].fuses}
        return int(kept_facts.kept(["limit", code, *data, shape, spec.n_epochs], lambda: self._max_members(spec)))

    def _max_members(self, spec: TrialSpec) -> int:
        found: Any = discovery.method(spec.method, self.plugins)
        config = found.Config(**spec.config, n_epochs=spec.n_epochs)
        return int(found.max_members(config, discovery.load_dataset(spec.dataset, spec.protocol, self.plugins)))

    def _imported(self, name: str) -> MethodFacts:
        own = discovery.declared(name, self.plugins)
        if own is not None:
            return _declared(own)
        found = discovery.method(name, self.plugins)
        return MethodFacts(
            name=name,
            version=found.version,
            code_digest=code_digest(discovery.find("method", name, self.plugins)),
            knobs=knobs_of(found.Config),
            n_epochs=found.Config().n_epochs,
            precisions=tuple(found.precisions),
        )

    def _loaded(self, reference: str, protocol: str) -> DatasetFacts:
        found = discovery.load_dataset(reference, protocol, self.plugins)
        return DatasetFacts(
            digest=str(found.digest),
            n_points=len(found.inputs),
            n_scored=len(found.eval_labels),
            n_numbers=found.inputs[0].numel(),
            n_classes=found.n_classes,
            n_clusters=found.n_clusters,
            n_labelled=found.n_labelled,
            inputs_digest=str(found.inputs_digest),
        )

    def _chance_levels(self, reference: str, protocol: str) -> Mapping[str, float]:
        found = discovery.load_dataset(reference, protocol, self.plugins)
        levels: Mapping[str, float] = discovery.scoring().chance_levels(
            found.eval_labels, found.n_clusters, self.plugins, found
        )
        return levels


def _declared(own: Declared) -> MethodFacts:
    try:
        return MethodFacts.of_declared(own)
    except OSError as error:
        raise RequestError(f"method {own.name!r}: {error.filename!r} cannot be read: {error.strerror}") from None
