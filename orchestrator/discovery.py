"""Finds methods, datasets, metrics and studies by name: the one place of the engine that imports by name or by path."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from orchestrator.dataset_name import loaded_as
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.machine import process_settings
from orchestrator.metric import Metric, undeclared, with_added
from orchestrator.own.declared import OWN_DATA, Declared, declaration_of, loading, metrics_from
from orchestrator.provenance import code_digest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "DatasetKey",
    "checkpoints",
    "code_of_method",
    "dataset_file",
    "declared",
    "declared_by_study",
    "find",
    "is_built_in",
    "load_dataset",
    "load_file",
    "method",
    "metric",
    "metrics",
    "names",
    "new_dataset",
    "origin",
    "prediction",
    "rehearsal",
    "scoring",
    "training",
    "use_methods",
    "use_metrics",
    "use_plugins",
]

DatasetKey: TypeAlias = tuple[str, str, tuple[str, ...]]
"""Reference, protocol and plugins of a dataset: what `load_dataset` takes."""

FOLDERS = {
    "method": "trainables.methods",
    "dataset": "trainables.datasets",
    "metric": "trainables.metrics",
    "study": "studies",
    "sampler": "orchestrator.search.samplers",
    "pruner": "orchestrator.search.pruners",
    "executor": "orchestrator.executors",
    "tracker": "orchestrator.inspection.trackers",
}
"""Kind -> the package whose modules are that kind; a plugin folder has a folder for each kind, named by its plural."""

PLURALS = {kind: f"{kind}s" for kind in FOLDERS} | {"study": "studies"}

ENTRY_POINTS = "deep_clustering_orchestrator.{kinds}"

PLUGIN = "_plugin_"
"""Beginning of the names under which a user's own files are imported."""

_in_use: tuple[str, ...] = ()

_declared_metrics: dict[str, Metric] = {}

_declared_methods: dict[str, Declared] = {}

ADAPTERS = "trainables.adapters"
"""The package whose modules train declared methods."""


def load_file(path: Path, kind: str) -> ModuleType:
    """Import one file as a module of its own name space.

    Raises:
        RequestError: the file does not exist or does not import; the line says why.
    """
    if not path.is_file():
        raise RequestError(f"no {kind} file at {str(path)!r}")
    name = _plugin_module(kind, path)
    module_spec = importlib.util.spec_from_file_location(name, path)
    if module_spec is None or module_spec.loader is None:
        raise RequestError(f"{str(path)!r} is no Python file; a {kind} file ends in .py")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[name] = module  # dataclasses look their module up while the class is made
    _make_importable([path.parent])
    try:
        with process_settings.importing(name), loading(path):
            module_spec.loader.exec_module(module)
    except RequestError as error:  # what it asks for is refused where it is made
        del sys.modules[name]
        raise RequestError(f"{kind} file {str(path)!r}: {error}") from error
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise RequestError(f"{kind} file {str(path)!r} does not import: {type(error).__name__}: {error}") from error
    return module


def _plugin_files(kind: str, plugins: Sequence[str]) -> dict[str, Path]:
    importable: list[Path] = []
    for plugin in plugins:
        if not Path(plugin).is_dir():
            raise RequestError(f"--plugin {plugin!r} is no folder; it holds methods/, datasets/, metrics/ or studies/")
        importable += (Path(plugin), *_kinds_in(Path(plugin)))
    _make_importable(importable)
    found = {}
    for plugin in plugins:
        for path in sorted(Path(plugin, PLURALS[kind]).glob("[!_]*.py")):
            found[path.stem] = path
    return found


def _kinds_in(plugin: Path) -> list[Path]:
    return [plugin / kinds for kinds in PLURALS.values() if (plugin / kinds).is_dir()]


def _make_importable(folders: Iterable[Path]) -> None:
    """Have the modules beside a user's files found, after all others, on every process that loads those files."""
    for folder in folders:
        place = str(folder.resolve())
        if place not in sys.path:
            sys.path.append(place)


@cache
def _entry_points(kind: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in _all_entry_points().select(group=ENTRY_POINTS.format(kinds=PLURALS[kind]))}


@cache
def _all_entry_points() -> Any:
    from importlib.metadata import entry_points  # mail and networks come with it

    return entry_points()  # of one group or of all: it looks at whatever is installed


def has_entry_points() -> bool:
    """Return whether any installed package brings methods, datasets, metrics or studies."""
    return any(_entry_points(kind) for kind in FOLDERS)


def names(kind: str, plugins: Sequence[str] = ()) -> list[str]:
    """Return the names of all methods, datasets, metrics or studies there are."""
    package = importlib.import_module(FOLDERS[kind])
    built_in = {info.name for info in pkgutil.iter_modules(package.__path__) if not info.name.startswith("_")}
    return sorted(built_in | set(_plugin_files(kind, plugins)) | set(_entry_points(kind)))


def find(kind: str, name: str, plugins: Sequence[str] = ()) -> ModuleType:
    """Return the module of a method, dataset, metric or study; a plugin's file comes before a built-in of its name.

    Raises:
        UnknownNameError: there is none of that name.
    """
    files = _plugin_files(kind, plugins)
    if name in files:
        return _loaded(str(files[name].resolve()), kind)
    known = names(kind)
    if name not in known:
        raise UnknownNameError(kind, name, [*known, *files])
    if name in _entry_points(kind):
        with process_settings.importing(f"{PLUGIN}{kind}_{name}"):
            module: ModuleType = _entry_points(kind)[name].load()
        return module
    return importlib.import_module(f"{FOLDERS[kind]}.{name}")


def origin(kind: str, name: str, plugins: Sequence[str] = ()) -> Path | None:
    """Return the file of a method, dataset, metric or study, unimported; None if it has none (an entry point)."""
    files = _plugin_files(kind, plugins)
    if name in files:
        return files[name]
    found = importlib.util.find_spec(f"{FOLDERS[kind]}.{name}")
    return Path(found.origin) if found is not None and found.origin else None


def module_name(kind: str, name: str, plugins: Sequence[str] = ()) -> str:
    """Return the name of the module that the file of a method, dataset, metric or study is, or would be."""
    files = _plugin_files(kind, plugins)
    return _plugin_module(kind, files[name]) if name in files else f"{FOLDERS[kind]}.{name}"


def is_built_in(kind: str, name: str, plugins: Sequence[str] = ()) -> bool:
    """Return whether a method, or the dataset of a reference, is the project's own and no plugin's or package's."""
    stem = name.partition(":")[0]
    return stem not in _plugin_files(kind, plugins) and stem not in _entry_points(kind) and stem in names(kind)


def require(kind: str, name: str, plugins: Sequence[str] = ()) -> None:
    """Refuse a name that there is no method, dataset, metric or study of; nothing is imported.

    Raises:
        UnknownNameError: there is none of that name.
    """
    known = names(kind, plugins)
    if name not in known:
        raise UnknownNameError(kind, name, known)


def _plugin_module(kind: str, path: Path) -> str:
    return f"{PLUGIN}{kind}_{path.stem}"


def find_package(name: str) -> str:
    """Return the folder of one of the project's packages, without importing what is in it."""
    found = importlib.util.find_spec(name)
    assert found is not None and found.submodule_search_locations
    return found.submodule_search_locations[0]


@cache
def _loaded(path: str, kind: str) -> ModuleType:
    return load_file(Path(path), kind)


def method(name: str, plugins: Sequence[str] = ()) -> Any:
    """Return the Method class of a method's file (its `METHOD`), or that which trains a declared method."""
    own = declared(name, plugins)
    if own is not None:
        return importlib.import_module(f"{ADAPTERS}.{own.adapter}").method_of(own)
    return _method_in(find("method", name, plugins), name)


def declared(name: str, plugins: Sequence[str] = ()) -> Declared | None:
    """Return the declaration of a method that a study's file declares, or a file of its own; None: it has a class."""
    own = declared_by_study(name)
    if own is None and name in _plugin_files("method", plugins):
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
    return found


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
    """Say which plugin folders this command was given: their metrics are known wherever a metric is named."""
    global _in_use  # noqa: PLW0603  # one command, one set of folders; functions that print a name are not handed them
    _in_use = tuple(plugins)


def load_dataset(reference: str, protocol: str, plugins: Sequence[str] = ()) -> Any:
    """Return the dataset of a reference such as `digits` or `mnist_5k:imbalance=2,subset=1000`, under a protocol.

    Each (reference, protocol) is loaded once per process. Of `OWN_DATA` there is nothing to load.
    """
    if reference == OWN_DATA:
        return no_data()
    return _dataset(str(reference), loaded_as(reference), protocol, tuple(plugins))


def dataset_file(reference: str) -> str:
    """Return the name of the file in `datasets` that loads a reference."""
    return loaded_as(reference).partition(":")[0]


@cache
def _dataset(reference: str, source: str, protocol: str, plugins: tuple[str, ...]) -> Any:
    del source  # another file under the same name is another dataset
    return new_dataset(reference, protocol, plugins)


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
