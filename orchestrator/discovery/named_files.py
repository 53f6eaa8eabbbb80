"""Finds the files of methods, datasets, metrics and studies by name, and imports them: built in, plugins, installed.

This is the one place of the engine that imports by name or by path; what the files hold is read in the package's root.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from orchestrator.dataset_name import ENDINGS
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.machine import process_settings
from orchestrator.own.declared import loading

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "FOLDERS",
    "PLUGIN",
    "find",
    "find_package",
    "has_entry_points",
    "is_built_in",
    "load_file",
    "module_name",
    "names",
    "origin",
    "plugin_files",
    "require",
]

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
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # what a file raises may be an exit of its own
        del sys.modules[name]
        raise RequestError(f"{kind} file {str(path)!r} does not import: {type(error).__name__}: {error}") from error
    return module


def plugin_files(kind: str, plugins: Sequence[str]) -> dict[str, Path]:
    """Return the files of a kind in plugin folders by name.

    Raises:
        RequestError: one of them is no folder, or two have a file of one name.
    """
    importable: list[Path] = []
    for plugin in plugins:
        if not Path(plugin).is_dir():
            raise RequestError(f"--plugin {plugin!r} is no folder; it holds methods/, datasets/, metrics/ or studies/")
        importable += (Path(plugin), *_kinds_in(Path(plugin)))
    _make_importable(importable)
    found: dict[str, Path] = {}
    for plugin in plugins:
        for path in sorted(Path(plugin, PLURALS[kind]).glob("[!_]*.py")):
            other = found.setdefault(path.stem, path)
            if other != path and not other.samefile(path):
                raise RequestError(f"{kind} {path.stem!r} is in two plugin folders: {str(other)!r} and {str(path)!r}")
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
    return sorted(built_in | set(plugin_files(kind, plugins)) | set(_entry_points(kind)))


def _of_place(name: str) -> str:
    """Return what is said of a file or a folder that was named like a dataset."""
    if Path(name).is_dir():
        return f"{name!r} is a folder here, no dataset; its images are named with a slash at the end: {name}/"
    return f"{name!r} is a file here; allowed for points: {', '.join(ENDINGS)}, or a folder of images"


def find(kind: str, name: str, plugins: Sequence[str] = ()) -> ModuleType:
    """Return the module of a method, dataset, metric or study; a plugin's file comes before a built-in of its name.

    Raises:
        UnknownNameError: there is none of that name.
        RequestError: it is a file or a folder here, which is named in another way.
    """
    files = plugin_files(kind, plugins)
    if name in files:
        return _loaded(str(files[name].resolve()), kind)
    known = names(kind)
    if name not in known:
        if kind == "dataset" and Path(name).exists():
            raise RequestError(_of_place(name))
        raise UnknownNameError(kind, name, [*known, *files])
    if name in _entry_points(kind):
        with process_settings.importing(f"{PLUGIN}{kind}_{name}"):
            module: ModuleType = _entry_points(kind)[name].load()
        return module
    return importlib.import_module(f"{FOLDERS[kind]}.{name}")


def origin(kind: str, name: str, plugins: Sequence[str] = ()) -> Path | None:
    """Return the file of a method, dataset, metric or study, unimported; None if it has none (an entry point)."""
    files = plugin_files(kind, plugins)
    if name in files:
        return files[name]
    found = importlib.util.find_spec(f"{FOLDERS[kind]}.{name}") if name.isidentifier() else None
    return Path(found.origin) if found is not None and found.origin else None


def module_name(kind: str, name: str, plugins: Sequence[str] = ()) -> str:
    """Return the name of the module that the file of a method, dataset, metric or study is, or would be."""
    files = plugin_files(kind, plugins)
    return _plugin_module(kind, files[name]) if name in files else f"{FOLDERS[kind]}.{name}"


def is_built_in(kind: str, name: str, plugins: Sequence[str] = ()) -> bool:
    """Return whether a method, or the dataset of a reference, is the project's own and no plugin's or package's."""
    stem = name.partition(":")[0]
    return stem not in plugin_files(kind, plugins) and stem not in _entry_points(kind) and stem in names(kind)


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
