"""What a run says of the user's own methods: the versions of packages they import, and what of them cannot be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator import discovery
from orchestrator.code_files import Code, code_of, package_versions
from orchestrator.own.declared import Declared
from orchestrator.provenance import versions

__all__ = ["MethodCode", "code_of_methods"]


@dataclass(frozen=True)
class MethodCode:
    """What the rows of a method say of its code."""

    digest: str
    versions: Mapping[str, str]
    """Those of every row; a user's file adds the packages that it imports."""
    notes: tuple[str, ...] = ()
    """What no digest covers, a line each: a change of it is no change of the code."""


def code_of_methods(digests: Mapping[str, str], plugins: Sequence[str]) -> dict[str, MethodCode]:
    """Return the code of methods by name.

    Args:
        digests: method -> digest of its code.
        plugins: folders with a user's own methods.
    """
    return {method: _code(method, digest, plugins) for method, digest in digests.items()}


def _code(method: str, digest: str, plugins: Sequence[str]) -> MethodCode:
    declared = discovery.declared_by_study(method)
    own = _own_code(method, plugins) if declared is None else _declared_code(declared)
    if own is None:
        return MethodCode(digest, versions())
    says = "a change there is not seen, and earlier trials stay hits"
    notes = tuple(f"method {method!r}: {what}; {says}" for what in own.unseen)
    return MethodCode(digest, {**package_versions(own.packages), **versions()}, notes)


def _declared_code(declared: Declared) -> Code:
    """Return what the Python files of a declared method run."""
    found = Code({}, frozenset(), ())
    for path in map(Path, declared.code.values()):
        if path.suffix == ".py":
            one = code_of(path, "__main__")
            found = Code(found.files | one.files, found.packages | one.packages, (*found.unseen, *one.unseen))
    return found._replace(unseen=tuple(dict.fromkeys(found.unseen)))


def _own_code(method: str, plugins: Sequence[str]) -> Code | None:
    """Return what a user's method runs; None: it is one of the project's."""
    name = discovery.module_name("method", method, plugins)
    if name.startswith(discovery.PLUGIN):
        path = discovery.origin("method", method, plugins)
    elif discovery.origin("method", method, plugins) is None:  # an entry point of an installed package
        module = discovery.find("method", method, plugins)
        name, path = module.__name__, None if module.__file__ is None else Path(module.__file__)
    else:
        return None
    return None if path is None else code_of(path.resolve(), name)
