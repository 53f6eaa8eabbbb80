"""A function or a class that a declaration names: where it is defined, so that every worker finds the same one."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator.code_files import is_installed
from orchestrator.errors import RequestError, shown
from orchestrator.own.contents import content_digest
from orchestrator.own.script_files import python_code

__all__ = ["code_of_object", "place_of", "taken"]


def place_of(given: Any, who: str) -> dict[str, str]:
    """Return where a function or a class is: {"name", "file"} of one's own, {"name", "module"} of an installed one.

    Raises:
        RequestError: it is made inside a function, where nobody else finds it.
    """
    name = getattr(given, "__qualname__", "")
    if not name or "<locals>" in name or not given.__module__:
        raise RequestError(f"{who}: {name or shown(given)} must stand at the top of a file, where workers can find it")
    try:
        file = Path(inspect.getsourcefile(given) or "")
    except TypeError:
        file = Path()
    if not file.is_file() or is_installed(file):
        return {"name": name, "module": given.__module__}
    return {"name": name, "file": str(file.resolve())}


def code_of_object(place: Mapping[str, str], who: str) -> dict[str, str]:
    """Return the files that an object is made of, by labels that hold on every machine; none of an installed one.

    Raises:
        RequestError: one of them cannot be read as Python.
    """
    if "file" not in place:
        return {}
    file = Path(place["file"])
    return {label: str(path) for label, path in python_code(file, file.parent, who).items()}


def taken(asks: Mapping[str, Any], code: Mapping[str, str]) -> Any:
    """Return a function or a class from where it is.

    Args:
        asks: "name" with "module", or with "label" of a file.
        code: label -> file.

    Raises:
        ImportError: there is none.
    """
    if "module" in asks:
        found: Any = importlib.import_module(asks["module"])
    else:
        file = Path(code[asks["label"]])
        found = _imported(file, content_digest(file))
    for part in asks["name"].split("."):
        found = getattr(found, part)
    return found


@cache
def _imported(file: Path, digest: str) -> Any:
    """Return a file as a module, imported once as long as its content stays."""
    name = f"_own_{file.stem}_{digest}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{str(file)!r} is no Python file")
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
