"""Facts that outlive a command: each under a key that digests all that it follows from, so that none is out of date.

Of a method that is its code (its file and what that imports), the words that knobs are made of, and what is installed.
Of a dataset it is its code likewise and its reference, and the files that it was read from must be as they were. A plan
of methods and data that are known so imports neither.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

import orchestrator
from orchestrator import discovery
from orchestrator.code_files import code_of
from orchestrator.dataset_name import loaded_as
from orchestrator.machine.private_cache import PrivateCache
from orchestrator.plan import sources
from orchestrator.plan.facts import DatasetFacts, MethodFacts, dataset_from_json, method_from_json, to_json
from orchestrator.provenance import file_code_digest
from orchestrator.trial import digest

__all__ = ["are_unknown", "code_key", "dataset_facts", "kept", "method_facts", "project_key"]

FORM = 2
"""Raised when what is kept changes its form or its meaning."""

Facts = TypeVar("Facts", MethodFacts, DatasetFacts)

CACHE = PrivateCache("catalogue")

PACKAGES = ("orchestrator", "studies", "trainables")

CLOCK_SECONDS = 1.0
"""Some file systems count whole seconds, and file servers have clocks of their own."""

LOADING = "trainables.data.options"
"""The module that has a part in every dataset."""


def method_facts(name: str, plugins: Sequence[str], make: Callable[[], MethodFacts]) -> MethodFacts:
    """Return the facts of a method, kept or made by importing it."""
    key = code_key("method", name, plugins)
    found = _understood(method_from_json, CACHE.read(key)) if key else None
    if found is not None:
        return found
    made = make()
    content = _as_json(made, method_from_json)
    if key and content is not None and key == _code_key("method", name, plugins):  # nobody has edited it meanwhile
        CACHE.write(key, content)
    return made


def are_unknown(methods: Iterable[str]) -> bool:
    """Return whether the facts of a method of the project's own would have to be made, and could be kept."""
    for name in methods:
        if discovery.is_built_in("method", name):
            key = code_key("method", name, ())
            if key and CACHE.read(key) is None:
                return True
    return False


def dataset_facts(
    reference: str, protocol: str, plugins: Sequence[str], make: Callable[[], DatasetFacts]
) -> DatasetFacts:
    """Return the facts of a dataset, kept or made by loading it."""
    name = discovery.dataset_file(reference)
    code = code_key("dataset", name, plugins)
    if not code:
        return make()
    key = digest(
        [code, _loading_digest(), reference, loaded_as(reference), protocol, os.path.abspath(discovery.data_folder())]
    )
    kept_content = CACHE.read(key)
    if kept_content is not None and sources.are_unchanged(kept_content["sources"]):
        found = _understood(dataset_from_json, kept_content["facts"])
        if found is not None:
            return found
    with sources.watched() as watched:
        made = make()
    stamps, content = watched.stamps(sys.modules), _as_json(made, dataset_from_json)
    if stamps is not None and content is not None and code == _code_key("dataset", name, plugins):
        CACHE.write(key, {"sources": stamps, "facts": content})
    return made


def kept(follows_from: Sequence[object], make: Callable[[], Any]) -> Any:
    """Return what is kept of something that follows from these things alone, or what `make` makes: JSON either way.

    Args:
        follows_from: what JSON can hold; an empty string among it (the key of code that cannot be told): do not keep.
        make: what takes long.
    """
    if "" in follows_from:
        return make()
    key = digest(list(follows_from))
    found = CACHE.read(key)
    if found is None:
        found = make()
        CACHE.write(key, found)
    return found


@cache
def code_key(kind: str, name: str, plugins: Sequence[str]) -> str:
    """Return a digest of the code of a method, dataset or metric, of the engine's words, and of what is installed.

    Empty: it cannot be told, as of an entry point's; or it is younger than this process, which may run what was there
    before.
    """
    return _code_key(kind, name, plugins)


@cache
def project_key() -> str:
    """Return a digest of all code of the project and of what is installed.

    Empty: some of it is younger than this process, which may run what was there before.
    """
    content = blake2b(digest_size=10)
    for package in PACKAGES:
        folder = Path(discovery.find_package(package))
        for path in sorted(folder.rglob("*.py")):
            if _is_young(path):
                return ""
            code = path.read_bytes()
            content.update(f"{package} {path.relative_to(folder)} {len(code)}:".encode() + code)
    return digest([FORM, content.hexdigest(), _installed()])


def _code_key(kind: str, name: str, plugins: Sequence[str]) -> str:
    path = None if kind == "method" and discovery.declared_by_study(name) else discovery.origin(kind, name, plugins)
    if path is None:
        return ""
    try:
        module = discovery.module_name(kind, name, plugins)
        if any(_is_young(file) for file in code_of(path.resolve(), module).files.values()):
            return ""
        code = file_code_digest(path.resolve(), module)
    except (OSError, SyntaxError, ValueError):  # whoever imports it says what is wrong
        return ""
    return digest([FORM, kind, name, code, _words(), _installed()])


def _is_young(path: Path) -> bool:
    about = path.stat()
    return max(about.st_mtime, about.st_ctime) > orchestrator.BEGAN - CLOCK_SECONDS


@cache
def _words() -> str:
    """Return a digest of the modules directly in `orchestrator`: knobs, domains and what they are made of."""
    folder = Path(orchestrator.__file__).parent
    content = blake2b(digest_size=10)
    for path in sorted(folder.glob("*.py")):
        content.update(path.read_bytes())
    return content.hexdigest()


@cache
def _installed() -> str:
    """Return a digest of what is installed: Python and the names, with versions, of all distributions on the path."""
    names: set[str] = set()
    for folder in sys.path:
        try:
            there = os.listdir(folder or os.curdir)
        except OSError:
            continue
        for name in there:
            if name.endswith((".dist-info", ".egg-info")):
                names.add(name)
    return digest([sys.version, sorted(names)])


@cache
def _loading_digest() -> str:
    folder = Path(discovery.find_package(LOADING.partition(".")[0]))
    return file_code_digest(folder.joinpath(*LOADING.split(".")[1:]).with_suffix(".py"), LOADING)


def _as_json(facts: Facts, read: Callable[[Any], Facts]) -> Any:
    """Return facts as JSON that reads as the same facts; None: they cannot be kept."""
    try:
        content = to_json(facts)
    except TypeError:
        return None
    return content if read(content) == facts else None


def _understood(read: Callable[[Any], Facts], content: Any) -> Facts | None:
    try:
        return None if content is None else read(content)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
