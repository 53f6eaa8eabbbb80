"""A record with knob values that tables and figures can count and sort: lists and None are texts there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["with_values_as_text"]


def with_values_as_text(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a study's record in which no knob's value, of an arm, a proposal or a choice, is a list or None.

    Of a search that holds for the knobs of which an option is such a value; all their options are texts then. Where
    nothing is, the record itself is returned.
    """
    changed: dict[str, Any] = dict(record)
    if record.get("arms"):
        changed["arms"] = list(map(_arm, record["arms"]))
    if record.get("searches"):
        changed["searches"] = list(map(_search, record["searches"]))
    return changed


def _arm(arm: Mapping[str, Any]) -> dict[str, Any]:
    values = arm.get("values", {})
    odd = {name for name, value in values.items() if _is_odd(value)}
    return {**arm, "values": _with_texts(values, odd)} if odd else dict(arm)


def _search(search: Mapping[str, Any]) -> dict[str, Any]:
    space, odd = dict(search["space"]), set()
    for name, domain in space.items():
        options = domain.get("options", ()) if isinstance(domain, Mapping) else ()
        if any(map(_is_odd, options)):
            odd.add(name)
            space[name] = {**domain, "options": list(map(_text, options))}
    if not odd:
        return dict(search)
    history = [{**entry, "values": _with_texts(entry["values"], odd)} for entry in search["history"]]
    chosen = None if search["chosen"] is None else _with_texts(search["chosen"], odd)
    return {**search, "space": space, "history": history, "chosen": chosen}


def _with_texts(values: Mapping[str, Any], odd: set[str]) -> dict[str, Any]:
    """Return values of which those of the `odd` knobs are texts."""
    changed = dict(values)
    for name in odd & values.keys():
        changed[name] = _text(values[name])
    return changed


def _is_odd(value: object) -> bool:
    return value is None or isinstance(value, list)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
