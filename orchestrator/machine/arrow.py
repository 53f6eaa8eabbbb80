"""Arrow without pandas: commands and workers that show no frame do without the third of a second that pandas takes.

`pyarrow` imports pandas when it makes its first array of Python objects, to see whether they are pandas' own. As long
as nobody has imported pandas, nothing can be.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import pyarrow as pa

__all__ = ["defer_pandas"]

PANDAS = "pandas"


def defer_pandas() -> None:
    """Have `pyarrow` import pandas no sooner than somebody else does, or asks it for a frame; safe to call twice.

    It is told then, so that whatever it does with pandas' objects is what it always does.
    """
    if PANDAS in sys.modules or any(isinstance(finder, _TellsArrow) for finder in sys.meta_path):
        return
    hidden = _Hidden()
    sys.meta_path.insert(0, hidden)
    try:
        pa.array([""])
    finally:
        sys.meta_path.remove(hidden)
    sys.meta_path.insert(0, _TellsArrow())


class _Hidden(importlib.abc.MetaPathFinder):
    """Finds no pandas."""

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> None:
        if fullname == PANDAS:
            raise ModuleNotFoundError("not yet", name=PANDAS)


class _TellsArrow(importlib.abc.MetaPathFinder):
    """Finds pandas where it is, once, and tells `pyarrow` when it has been imported."""

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != PANDAS:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(PANDAS)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            execute = loader.exec_module

            def execute_and_tell(module: ModuleType) -> None:
                execute(module)
                _ = pa.lib._pandas_api.pd  # looks for pandas again, now that it is there

            loader.exec_module = execute_and_tell
        return spec
