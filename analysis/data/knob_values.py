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
    arms = [_arm(arm) for arm in record.get("arms", ())]
    searches = [_search(search) for search in record.get("searches", ())]
    changed = {name: value for name, value in (("arms", arms), ("searches", searches)) if record.get(name)}
    return {**record, **changed}


def _arm(arm: Mapping[str, Any]) -> dict[str, Any]:
    values = arm.get("values", {})
    return {**arm, "values": {name: _text(value) for name, value in values.items()}} if values else dict(arm)


def _search(search: Mapping[str, Any]) -> dict[str, Any]:
    odd = {name for name, domain in search["space"].items() if _has_odd_options(domain)}
    if not odd:
        return dict(search)
    space = {
        name: {**domain, "options": [_word(option) for option in domain["options"]]} if name in odd else domain
        for name, domain in search["space"].items()
    }
    history = [{**entry, "values": _told(entry["values"], odd)} for entry in search["history"]]
    chosen = None if search["chosen"] is None else _told(search["chosen"], odd)
    return {**search, "space": space, "history": history, "chosen": chosen}


def _has_odd_options(domain: object) -> bool:
    options = domain.get("options", ()) if isinstance(domain, Mapping) else ()
    return any(option is None or isinstance(option, list) for option in options)


def _told(values: Mapping[str, Any], odd: set[str]) -> dict[str, Any]:
    return {name: _word(value) if name in odd else value for name, value in values.items()}


def _text(value: Any) -> Any:
    return _word(value) if value is None or isinstance(value, list) else value


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
