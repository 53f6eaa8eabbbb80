"""What a field of a request may hold: rules that bring a value into its one form, or refuse it in one line.

A frozen dataclass on `Checked` gives a field its rule by `field(metadata=allowed(RULE))`; whoever makes one with a
value that the rule does not take gets a `RequestError` with the field, the value and what is allowed. A library would
not make this shorter: pydantic takes 0.06 s of every command to load and wants our words for each rule all the same;
msgspec checks what it decodes only.
"""

from __future__ import annotations

import dataclasses
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from orchestrator.errors import RequestError, UnknownNameError, shown
from orchestrator.values import plain

__all__ = [
    "Checked",
    "Rule",
    "allowed",
    "either",
    "flag",
    "instance",
    "many",
    "mapping",
    "number",
    "one_of",
    "optional",
    "text",
    "value",
    "whole",
    "word",
]

KEY = "allowed"

_MOVES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Signs that move a terminal's cursor or turn the direction of writing."""

_MOVES_AND_LINES = re.compile(r"[\t\n\u2028\u2029]|" + _MOVES.pattern)

Convert = Callable[[Any, str], Any]
"""(value, where it stands) -> its one form; ValueError, TypeError or OverflowError: it is not allowed."""


@dataclass(frozen=True)
class Rule:
    """What a field may hold."""

    says: str
    """Reads on after "it is"."""
    convert: Convert

    def accept(self, given: object, where: str) -> Any:
        """Return a value in its one form.

        Raises:
            RequestError: names the place, the value and what is allowed there.
        """
        try:
            return self.convert(given, where)
        except (ValueError, TypeError, OverflowError, RecursionError):
            raise RequestError(f"{where} = {shown(given)} is not allowed; it is {self.says}") from None


class Checked:
    """A frozen dataclass whose fields are checked, and brought into their one form, when a value of it is made."""

    called: ClassVar[str] = ""
    """What a message calls the value; a field or a property of a subclass may say it better."""

    def __post_init__(self) -> None:
        """Check every field that has a rule.

        Raises:
            RequestError: names the field, the value and what is allowed.
        """
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # subclasses are dataclasses
            rule = field.metadata.get(KEY)
            if rule is not None:
                object.__setattr__(self, field.name, rule.accept(getattr(self, field.name), self.place(field.name)))

    def place(self, field: str) -> str:
        """Return how a message names a field of this value."""
        name = self.called or type(self).__name__
        return f"{name}: {field}"


def allowed(rule: Rule) -> dict[str, Rule]:
    """Return the metadata of a dataclass field that holds what a rule takes."""
    return {KEY: rule}


def text(what: str = "a text", *, empty: bool = False, lines: bool = False, most: int = 300) -> Rule:
    """Return the rule of a text that can be printed and written.

    Args:
        what: what it is.
        empty: whether it may be empty.
        lines: whether it may have several.
        most: signs.
    """
    strange = _MOVES if lines else _MOVES_AND_LINES

    def convert(given: Any, where: str) -> str:
        if not isinstance(given, str) or len(given) > most or not (empty or given.strip()) or strange.search(given):
            raise ValueError(given)
        given.encode()
        return str(given)

    return Rule(f"{what} (at most {most:,} printable signs)", convert)


def word() -> Rule:
    """Return the rule of a name that may be part of a file's name: letters, digits, `_`, `-` and `.`."""

    def convert(given: Any, where: str) -> str:
        if not isinstance(given, str) or not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", given):
            raise ValueError(given)
        return str(given)

    return Rule("a name of letters, digits, '_', '-' and '.'", convert)


def flag() -> Rule:
    """Return the rule of True and False."""

    def convert(given: Any, where: str) -> bool:
        found = plain(given)
        if not isinstance(found, bool):
            raise ValueError(given)
        return found

    return Rule("True or False", convert)


def whole(low: int, high: int) -> Rule:
    """Return the rule of the whole numbers from `low` to `high`, of whatever library; 3.0 is 3."""

    def convert(given: Any, where: str) -> int:
        found = plain(given)
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        if isinstance(found, bool) or not low <= operator.index(found) <= high:  # type: ignore[arg-type]  # TypeError
            raise ValueError(given)
        return int(found)  # type: ignore[arg-type]  # it has an index

    return Rule(f"a whole number from {low:,} to {high:,}", convert)


def number(
    low: float = -math.inf, high: float = math.inf, *, above: float = -math.inf, below: float = math.inf
) -> Rule:
    """Return the rule of finite numbers from `low` to `high`, and above and below others that do not count."""
    lower = [f"{word} {bound:g}" for bound, word in ((low, "from"), (above, "above")) if math.isfinite(bound)]
    upper = [f"{word} {bound:g}" for bound, word in ((high, "to"), (below, "and below")) if math.isfinite(bound)]

    def convert(given: Any, where: str) -> float:
        found = plain(given)
        if isinstance(found, bool | str | tuple) or found is None:
            raise ValueError(given)
        if not (low <= found <= high and above < found < below):
            raise ValueError(given)
        return float(found)

    return Rule(" ".join(["a number", *lower, *upper]), convert)


def one_of(names: Sequence[str], kind: str) -> Rule:
    """Return the rule of a few names; what is none of them is an unknown name of its `kind`."""

    def convert(given: Any, where: str) -> str:
        if isinstance(given, str) and given in names:
            return str(given)
        raise UnknownNameError(f"{kind} of {where.partition(':')[0]}", given, names)

    return Rule(f"one of {', '.join(names)}", convert)


def value() -> Rule:
    """Return the rule of what a knob can hold; the method's own domain comes later."""
    return Rule("a number, a text, True, False, None, or a list of those", lambda given, where: plain(given))


def optional(rule: Rule) -> Rule:
    """Return the rule of None, and of what another rule takes."""
    return Rule(f"None, or {rule.says}", lambda given, where: None if given is None else rule.convert(given, where))


def either(first: Rule, second: Rule) -> Rule:
    """Return the rule of what one of two rules takes."""

    def convert(given: Any, where: str) -> Any:
        try:
            return first.convert(given, where)
        except (RequestError, ValueError, TypeError, OverflowError, RecursionError):
            return second.convert(given, where)

    return Rule(f"{first.says}, or {second.says}", convert)


def instance(kind: type | tuple[type, ...], says: str) -> Rule:
    """Return the rule of values of a class."""

    def convert(given: Any, where: str) -> Any:
        if not isinstance(given, kind):
            raise TypeError(given)
        return given

    return Rule(says, convert)


def many(rule: Rule, says: str, *, least: int = 0, most: int = 10_000, distinct: bool = False) -> Rule:
    """Return the rule of a list, tuple, range or array of values; a text is none. It becomes a tuple."""

    def convert(given: Any, where: str) -> tuple[Any, ...]:
        parts = tuple(_parts(given, most))
        if not least <= len(parts) <= most:
            raise ValueError(given)
        found = tuple(rule.accept(part, f"{where}[{place}]") for place, part in enumerate(parts))
        if distinct and len(set(found)) < len(found):
            raise ValueError(given)
        return found

    return Rule(says, convert)


def mapping(rule: Rule, says: str, *, least: int = 0, key: Rule | None = None) -> Rule:
    """Return the rule of a mapping from names to values; it becomes a dictionary."""
    names = key or text("a name")

    def convert(given: Any, where: str) -> dict[str, Any]:
        if not isinstance(given, Mapping) or len(given) < least:
            raise ValueError(given)
        found = {}
        for name, part in given.items():
            found[names.accept(name, f"a name in {where}")] = rule.accept(part, f"{where}[{shown(name)}]")
        return found

    return Rule(says, convert)


def _parts(given: Any, most: int) -> Iterable[Any]:
    """Return the values of what is a list in one way or another."""
    if isinstance(given, list | tuple):
        return given
    if isinstance(given, range):
        return given[: most + 1]
    found = plain(given)  # an array
    if not isinstance(found, tuple) or isinstance(given, str):
        raise TypeError(given)
    return found
