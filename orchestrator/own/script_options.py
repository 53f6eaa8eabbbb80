"""Options that a Python script declares by argparse, click or the like: found by reading it, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.values import Value, plain

__all__ = ["ScriptOption", "options_of"]

DECLARES = ("add_argument", "option")
"""Names of the functions that declare an option: argparse's, click's."""


@dataclass(frozen=True)
class ScriptOption:
    """An option of a script."""

    spelled: str
    """As it is written on a command line: --weight-decay."""
    default: Value
    has_default: bool
    """Whether the default stands there as a value."""
    switch: str
    """How a bool is passed: `switch` (there or not), `pair` (--name or --no-name), `value`."""


def options_of(files: Iterable[Path]) -> dict[str, ScriptOption]:
    """Return the options that Python files declare, by their names with `_` for `-`; the first of a name counts."""
    found: dict[str, ScriptOption] = {}
    for file in files:
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):  # whoever runs it says what is wrong
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in DECLARES:
                option = _option(node)
                if option is not None:
                    found.setdefault(option.spelled.lstrip("-").replace("-", "_"), option)
    return found


def _option(call: ast.Call) -> ScriptOption | None:
    names = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    long = [name for name in names if name.startswith("--")]
    if not long:
        return None
    given = {one.arg: one.value for one in call.keywords if one.arg}
    action = given.get("action")
    kind = action.value if isinstance(action, ast.Constant) else getattr(action, "attr", "")
    if kind in ("store_true", "store_false") or _is_true(given.get("is_flag")):
        return ScriptOption(long[0], kind == "store_false", True, "switch")
    switch = "pair" if kind == "BooleanOptionalAction" else "value"
    spelled, slash, _ = long[0].partition("/")  # click: --balance/--no-balance
    found, has_default = _value(given.get("default"))
    return ScriptOption(spelled, found, has_default, "pair" if slash else switch)


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _value(node: ast.expr | None) -> tuple[Value, bool]:
    """Return what an expression says, and whether it can be told."""
    if node is None:
        return None, False
    try:
        found: Any = ast.literal_eval(node)
        return plain(found), True
    except (ValueError, TypeError, OverflowError, SyntaxError, RecursionError):
        return None, False
