"""Options that a Python script declares by argparse, click or the like: found by reading it, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
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
    """How a bool is passed: `switch` (there or not), `absence` (not there or there: --no-noise of `noise`), `pair`
    (--name or --no-name), `value`; lists of `each` repeat the option."""


def options_of(files: Iterable[Path]) -> dict[str, ScriptOption]:
    """Return the options that Python files declare, by their names with `_` for `-`; the first of a name counts.

    What a script calls otherwise by `dest=` is found by both names: `--no-noise` that stores False in `noise` is True
    where it stands, and `noise` is False then.
    """
    found: dict[str, ScriptOption] = {}
    for file in files:
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):  # whoever runs it says what is wrong
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in DECLARES:
                for name, option in _options(node).items():
                    found.setdefault(name, option)
    return found


def _options(call: ast.Call) -> dict[str, ScriptOption]:
    """Return the option that a call declares, by each name that it has; none of a positional one."""
    names = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    long = [name for name in names if name.startswith("--")]
    if not long:
        return {}
    given = {one.arg: one.value for one in call.keywords if one.arg}
    spelled, slash, _ = long[0].partition("/")  # click: --balance/--no-balance
    own = spelled.lstrip("-").replace("-", "_")
    stored = _text(given.get("dest")) or own
    kind = _text(given.get("action")) or getattr(given.get("action"), "attr", "")
    if kind == "store_false":
        by_value = {stored: ScriptOption(spelled, True, True, "absence")}
        return {own: ScriptOption(spelled, False, True, "switch"), **by_value}
    if kind == "store_true" or _is_true(given.get("is_flag")):
        option = ScriptOption(spelled, False, True, "switch")
    else:
        default = (None, False) if kind == "append" else _value(given.get("default"))  # it would be appended to that
        option = ScriptOption(spelled, *default, _switch(kind, slash, given))
    return {own: option, stored: option}


def _switch(action: str, slash: str, given: Mapping[str, ast.expr]) -> str:
    if slash or action == "BooleanOptionalAction":
        return "pair"
    return "each" if action == "append" or _is_true(given.get("multiple")) else "value"


def _text(node: ast.expr | None) -> str:
    """Return a text that stands in the script; empty: there is none."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


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
