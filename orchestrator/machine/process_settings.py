"""Settings that a whole process shares: a method that changes them changes what is trained after it.

They are taken down before a plugin is imported and before it trains, and put back afterwards. What a module set when it
was imported holds again while its own trials are trained, whichever bundle of the process imported it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

__all__ = ["OwnSettings", "Settings", "changed", "current", "importing", "imposed_by", "put_back"]

Settings = Mapping[str, Any]
"""Name -> value, as `torch.default_dtype` or `environment CUDA_VISIBLE_DEVICES`; absent: not set."""

OF_LIBRARIES = ("KMP_", "TORCHINDUCTOR_", "PYTEST_")
"""Beginnings of variables that libraries and test runners set for themselves."""

ENVIRONMENT = "environment "

FOLDER = "os.chdir"
"""The current folder, which relative paths of the command hang on."""

_imposed: dict[str, Settings] = {}


def current() -> dict[str, Any]:
    """Return the settings as they are; those of a library that is not loaded are its defaults."""
    found = {f"{ENVIRONMENT}{name}": value for name, value in os.environ.items() if not name.startswith(OF_LIBRARIES)}
    with contextlib.suppress(OSError):  # it may have been removed
        found[FOLDER] = os.getcwd()
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if numpy is not None and hasattr(numpy, "geterr"):
        found |= {f"numpy.seterr {kind}": how for kind, how in numpy.geterr().items()}
    if torch is not None and hasattr(torch, "get_default_dtype"):
        found |= {name: read(torch) for name, (read, _) in _TORCH.items()}
    return found


def changed(before: Settings, after: Settings) -> dict[str, tuple[Any, Any]]:
    """Return name -> (before, after) of what differs; a library that was loaded in between began at its defaults."""
    if "torch.default_dtype" in after and "torch.default_dtype" not in before:
        before = {**_defaults(sys.modules["torch"]), **before}
    if "numpy.seterr over" in after and "numpy.seterr over" not in before:
        before = {**{f"numpy.seterr {kind}": how for kind, how in _NUMPY.items()}, **before}
    found = {}
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old != new and (name in before or name.startswith(ENVIRONMENT)):
            found[name] = (old, new)
    return found


def put_back(before: Settings) -> dict[str, Any]:
    """Set everything as it was; returns what had been set otherwise, by name."""
    old, found = {}, {}
    for name, (first, last) in changed(before, current()).items():
        old[name], found[name] = first, last
    _apply(old)
    return found


@contextmanager
def importing(module: str) -> Iterator[None]:
    """Put back what an import within the block sets; `imposed_by` says what that was."""
    before = current()
    try:
        yield
    finally:
        found = put_back(before)
        if found:
            _imposed[module] = found


def imposed_by(module: str) -> Settings:
    """Return what a module set when it was imported."""
    return _imposed.get(module, {})


class OwnSettings:
    """What one method sets: in force within `own`, in the process of others nowhere.

    Args:
        imposed: what it set when it was imported.
    """

    def __init__(self, imposed: Settings) -> None:
        self.imposed, self.found = imposed, dict(imposed)

    @contextmanager
    def own(self) -> Iterator[None]:
        """Have its settings hold within the block, keep what it sets there, and put back what was before."""
        before = current()
        _apply(self.found)
        try:
            yield
        finally:
            self.found = put_back(before)

    def told(self, method: str) -> str:
        """Return a line that names the method and what it sets; empty: nothing."""
        if not self.found:
            return ""
        sets = ", ".join(f"{name} = {value}" for name, value in self.found.items())
        return f"method {method!r} sets {sets} for the whole process; that holds while its own trials are trained only"


def _apply(settings: Settings) -> None:
    errors = {}
    for name, value in settings.items():
        if name.startswith(ENVIRONMENT):
            variable = name.removeprefix(ENVIRONMENT)
            if value is None:
                os.environ.pop(variable, None)
            else:
                os.environ[variable] = value
        elif name == FOLDER:
            with contextlib.suppress(OSError):
                os.chdir(value)
        elif name.startswith("numpy.seterr "):
            errors[name.removeprefix("numpy.seterr ")] = value
        else:
            _TORCH[name][1](sys.modules["torch"], value)
    if errors:
        sys.modules["numpy"].seterr(**errors)


def _attribute(path: str) -> tuple[Callable[[Any], Any], Callable[[Any, Any], None]]:
    *places, last = path.split(".")

    def owner(torch: Any) -> Any:
        for place in places:
            torch = getattr(torch, place)
        return torch

    return (lambda torch: getattr(owner(torch), last)), (lambda torch, value: setattr(owner(torch), last, value))


_TORCH: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any, Any], None]]] = {
    "torch.default_dtype": (
        lambda torch: torch.get_default_dtype(),
        lambda torch, value: torch.set_default_dtype(value),
    ),
    "torch.default_device": (
        lambda torch: str(torch.get_default_device()),
        lambda torch, value: torch.set_default_device(None if value == "cpu" else value),
    ),
    "torch.num_threads": (lambda torch: torch.get_num_threads(), lambda torch, value: torch.set_num_threads(value)),
    "torch.grad_enabled": (lambda torch: torch.is_grad_enabled(), lambda torch, value: torch.set_grad_enabled(value)),
    "torch.deterministic_algorithms": (
        lambda torch: (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        ),
        lambda torch, value: torch.use_deterministic_algorithms(value[0], warn_only=value[1]),
    ),
    "torch.float32_matmul_precision": (
        lambda torch: torch.get_float32_matmul_precision(),
        lambda torch, value: torch.set_float32_matmul_precision(value),
    ),
    "torch.anomaly_detection": (
        lambda torch: torch.is_anomaly_enabled(),
        lambda torch, value: torch.autograd.set_detect_anomaly(value),
    ),
    "torch.backends.cudnn.enabled": _attribute("backends.cudnn.enabled"),
    "torch.backends.cudnn.benchmark": _attribute("backends.cudnn.benchmark"),
    "torch.backends.cudnn.deterministic": _attribute("backends.cudnn.deterministic"),
    "torch.backends.cudnn.allow_tf32": _attribute("backends.cudnn.allow_tf32"),
}
"""Name -> how it is read and set."""

_NUMPY = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
"""NumPy's defaults."""


def _defaults(torch: Any) -> dict[str, Any]:
    """Return torch's settings in a fresh process."""
    return {
        "torch.default_dtype": torch.float32,
        "torch.default_device": "cpu",
        "torch.grad_enabled": True,
        "torch.deterministic_algorithms": (False, False),
        "torch.float32_matmul_precision": "highest",
        "torch.anomaly_detection": False,
        "torch.backends.cudnn.enabled": True,
        "torch.backends.cudnn.benchmark": False,
        "torch.backends.cudnn.deterministic": False,
        "torch.backends.cudnn.allow_tf32": True,
    }
