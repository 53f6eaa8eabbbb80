"""Settings that a whole process shares: a method that changes them changes what is trained after it.

They are taken down before a plugin is imported and before it trains, and put back afterwards. What a module set when it
was imported holds again while its own trials are trained, whichever bundle of the process imported it.
"""

from __future__ import annotations

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

_imposed: dict[str, Settings] = {}


def current() -> dict[str, Any]:
    """Return the settings as they are; those of a library that is not loaded are its defaults."""
    found = {f"{ENVIRONMENT}{name}": value for name, value in os.environ.items() if not name.startswith(OF_LIBRARIES)}
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
    names = dict.fromkeys([*before, *after])
    return {
        name: (before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name) and (name in before or name.startswith(ENVIRONMENT))
    }


def put_back(before: Settings) -> dict[str, tuple[Any, Any]]:
    """Set everything as it was; returns what had changed."""
    found = changed(before, current())
    _apply({name: old for name, (old, _) in found.items()})
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
            _imposed[module] = {name: new for name, (_, new) in found.items()}


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
            self.found = {name: new for name, (_, new) in put_back(before).items()}

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
    **{
        f"torch.backends.{name}": _attribute(f"backends.{name}")
        for name in ("cudnn.enabled", "cudnn.benchmark", "cudnn.deterministic", "cudnn.allow_tf32")
    },
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
