"""Methods, datasets and metrics by name: what their files hold (`named_files` finds them).

The modules of `trainables` that the engine calls are behind functions here, so that it imports torch when it trains.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from orchestrator.dataset_name import loaded_as, stamps
from orchestrator.discovery.named_files import (
    FOLDERS,
    PLUGIN,
    find,
    find_package,
    has_entry_points,
    is_built_in,
    load_file,
    module_name,
    names,
    origin,
    plugin_files,
    require,
)
from orchestrator.errors import RequestError, shown
from orchestrator.knobs import BUDGET_FIELD
from orchestrator.metric import Metric, undeclared, with_added
from orchestrator.own.declared import OWN_DATA, Declared, declaration_of, metrics_from
from orchestrator.provenance import code_digest

__all__ = [
    "FOLDERS",
    "PLUGIN",
    "DatasetKey",
    "checkpoints",
    "code_of_method",
    "data_folder",
    "dataset_file",
    "declared",
    "declared_by_study",
    "find",
    "find_package",
    "has_entry_points",
    "is_built_in",
    "load_dataset",
    "load_file",
    "method",
    "metric",
    "metrics",
    "module_name",
    "names",
    "new_dataset",
    "no_data",
    "origin",
    "prediction",
    "rehearsal",
    "require",
    "scoring",
    "training",
    "use_methods",
    "use_metrics",
    "use_plugins",
]

DatasetKey: TypeAlias = tuple[str, str, tuple[str, ...]]
"""Reference, protocol and plugins of a dataset: what `load_dataset` takes."""

_in_use: tuple[str, ...] = ()

_declared_metrics: dict[str, Metric] = {}

_declared_methods: dict[str, Declared] = {}

ADAPTERS = "trainables.adapters"
"""The package whose modules train declared methods."""


def method(name: str, plugins: Sequence[str] = ()) -> Any:
    """Return the Method class of a method's file (its `METHOD`), or that which trains a declared method."""
    own = declared(name, plugins)
    if own is not None:
        return importlib.import_module(f"{ADAPTERS}.{own.adapter}").method_of(own)
    return _method_in(find("method", name, plugins), name)


def declared(name: str, plugins: Sequence[str] = ()) -> Declared | None:
    """Return the declaration of a method that a study's file declares, or a file of its own; None: it has a class."""
    own = declared_by_study(name)
    if own is None and name in plugin_files("method", plugins):
        own = declaration_of(_method_in(find("method", name, plugins), name))
        return None if own is None else replace(own, name=name)
    return own


def declared_by_study(name: str) -> Declared | None:
    """Return the declaration of a method that a study's file declares; None: it has a file, which is not imported."""
    return declaration_of(name) or _declared_methods.get(name)


def code_of_method(name: str, plugins: Sequence[str] = ()) -> str:
    """Return the digest of a method's code, as this process would run it."""
    own = declared(name, plugins)
    return code_digest(find("method", name, plugins)) if own is None else own.code_digest()


def _method_in(module: ModuleType, name: str) -> Any:
    found = getattr(module, "METHOD", None)
    if found is None:
        raise RequestError(f"method file of {name!r} defines no METHOD")
    if declaration_of(found) is None and not _is_method(found):
        raise RequestError(
            f"method file of {name!r}: METHOD = {shown(found)} is no method; it is a class on "
            "trainables.method.InTurn or FusedMethod, with a dataclass Config of which every field has a default"
        )
    return found


def _is_method(found: Any) -> bool:
    """Return whether a plan can be made with what a file calls its METHOD."""
    config = getattr(found, "Config", None)
    if not (
        isinstance(found, type) and dataclasses.is_dataclass(config) and callable(getattr(found, "max_members", 0))
    ):
        return False
    whole = isinstance(getattr(found, "version", None), int) and isinstance(getattr(config, BUDGET_FIELD, None), int)
    return whole and not any(_has_no_default(field) for field in dataclasses.fields(config))


def _has_no_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def metrics(plugins: Sequence[str] | None = None) -> Mapping[str, Metric]:
    """Return every metric by name, as its file declares it (`METRIC`) or a study (`use_metrics`); loads no torch.

    Args:
        plugins: folders with a user's own metrics; None: those that `use_plugins` named last.
    """
    of_files = _metrics(_in_use if plugins is None else tuple(plugins))
    return with_added({**of_files, **_declared_metrics} if _declared_metrics else of_files)


@cache
def _metrics(plugins: tuple[str, ...]) -> Mapping[str, Metric]:
    found: dict[str, Metric] = {}
    for name in names("metric", plugins):
        declared = getattr(find("metric", name, plugins), "METRIC", None)
        if not isinstance(declared, Metric):
            raise RequestError(f"metric file of {name!r} defines no METRIC = Metric(...)")
        found[name] = declared
    return found


def metric(name: str) -> Metric:
    """Return the facts of one metric; of a number that no file declares, such as a method's own, just its name."""
    return metrics().get(name) or undeclared(name)


def use_metrics(facts: Mapping[str, Mapping[str, Any]]) -> None:
    """Have metrics known that a study's own methods declare: name -> facts; of one that has a file, what is added.

    Raises:
        RequestError: facts that contradict those of the metric's file, or each other.
    """
    _declared_metrics.update(metrics_from(facts, _metrics(_in_use)))


def use_methods(names: Iterable[str]) -> None:
    """Have the methods known by their plain names that a study's file declares: rows of the ledger hold no more."""
    for name in names:
        own = declaration_of(name)
        if own is not None:
            _declared_methods[own.name] = own


def use_plugins(plugins: Sequence[str]) -> None:
    """Say which plugin folders this command was given: their metrics are known wherever a metric is named.

    Raises:
        RequestError: one of them is no folder; those named before stay in use.
    """
    global _in_use  # noqa: PLW0603  # one command, one set of folders; functions that print a name are not handed them
    plugin_files("metric", plugins)
    _in_use = tuple(str(Path(plugin).absolute()) for plugin in plugins)  # a session may go on in another folder


_loaded: dict[tuple[str, str, str, tuple[str, ...]], tuple[Any, Any]] = {}
"""What `load_dataset` has loaded, with the stamps of the files that it was read from."""


def load_dataset(reference: str, protocol: str, plugins: Sequence[str] = ()) -> Any:
    """Return the dataset of a reference such as `digits` or `mnist_5k:imbalance=2,subset=1000`, under a protocol.

    Each (reference, protocol) is loaded once per process, a user's own file anew when it has changed. Of `OWN_DATA`
    there is nothing to load.
    """
    if reference == OWN_DATA:
        return no_data()
    source = loaded_as(reference)
    key, seen = (str(reference), source, protocol, tuple(plugins)), stamps(source)
    if key not in _loaded or _loaded[key][0] != seen:
        _loaded[key] = seen, new_dataset(reference, protocol, tuple(plugins))
    return _loaded[key][1]


def dataset_file(reference: str) -> str:
    """Return the name of the file in `datasets` that loads a reference."""
    return loaded_as(reference).partition(":")[0]


def new_dataset(reference: str, protocol: str, plugins: tuple[str, ...]) -> Any:
    """Return what `load_dataset` does, loaded anew: for who keeps it in another way."""
    wrappers = importlib.import_module("trainables.data.options")
    name, _, options = loaded_as(reference).partition(":")
    return wrappers.loaded(find("dataset", name, plugins).load, options, reference).under(protocol)


def no_data() -> Any:
    """Return what stands in the place of a dataset for methods that bring their own data."""
    return importlib.import_module("trainables.data.own_data").OWN


def data_folder() -> Path:
    """Return where data lie that no package brings (`trainables.data.data_folder`); without importing torch."""
    found: Path = importlib.import_module("trainables.data.data_folder").data_folder()
    return found


def checkpoints() -> ModuleType:
    """Return `trainables.training.checkpoints`, which reads what a bundle under way left; imports torch."""
    return importlib.import_module("trainables.training.checkpoints")


def prediction() -> ModuleType:
    """Return `trainables.training.prediction`, which assigns new points by kept weights; imports torch."""
    return importlib.import_module("trainables.training.prediction")


def training() -> ModuleType:
    """Return `trainables.training.loop`, whose `train` every executor calls; imports torch."""
    return importlib.import_module("trainables.training.loop")


def rehearsal() -> ModuleType:
    """Return `trainables.training.rehearsal`, which builds methods on a few points; imports torch."""
    return importlib.import_module("trainables.training.rehearsal")


def scoring() -> ModuleType:
    """Return `trainables.scoring`: metrics of partitions and their chance levels; loads no torch."""
    return importlib.import_module("trainables.scoring")
