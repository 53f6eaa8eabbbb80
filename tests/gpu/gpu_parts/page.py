"""The page of the check: what must hold, then tables of what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["page"]


def page(found: Mapping[str, Any]) -> str:
    """Return the page (Markdown) of what a check found."""
    on = found["device"]
    lines = [f"# The check of one card: {on['name']}", ""]
    if found["dry"]:
        lines += ["**A dry run on a CPU: it shows that the check works, and says nothing of a card.**", ""]
    lines += [f"`{found['command']}`, {found['at']}, torch {found['torch']}, {found['seconds']:.0f} s.", ""]
    bounds = [line for part in found["parts"].values() for line in part.get("bounds", ())]
    lines += _table(["what must hold", "bound", "found", "holds"], (_bound(line) for line in bounds))
    for name, part in found["parts"].items():
        lines += [f"## {name}", "", *_part(part)]
    return "\n".join(lines).rstrip() + "\n"


def _bound(line: Mapping[str, Any]) -> list[str]:
    limits = [f"{sign} {line[name]:g}" for name, sign in (("least", ">="), ("most", "<=")) if name in line]
    said = {True: "yes", False: "**no**", None: "not measured"}[line["holds"]]
    return [line["what"], " and ".join(limits), "" if line["found"] is None else f"{line['found']:g}", said]


def _part(part: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    if "error" in part or "skipped" in part:
        return [part.get("error") or part["skipped"], ""]
    for name, value in part.items():
        if name == "bounds":
            continue
        rows = value if isinstance(value, list) else [{"": key, **_row(entry)} for key, entry in value.items()]
        heads = list(dict.fromkeys(head for row in rows for head in row))
        lines += [f"{name}:", "", *_table(heads, ([_cell(row.get(head, "")) for head in heads] for row in rows))]
    return lines


def _row(entry: Any) -> Mapping[str, Any]:
    return entry if isinstance(entry, Mapping) else {"found": entry}


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_cell(own)}" for name, own in value.items())
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return f"{value:.5g}" if isinstance(value, float) else str(value).replace("|", "/")


def _table(heads: Iterable[str], rows: Iterable[list[str]]) -> list[str]:
    heads = list(heads)
    body = ["| " + " | ".join(row) + " |" for row in rows]
    return ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *body, ""]
