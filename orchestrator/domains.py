"""Domains: what values a knob may take, over which range a search goes, and the value at a place in a range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from orchestrator.errors import RequestError, shown
from orchestrator.values import Value, as_text, decimal, plain

__all__ = ["Choice", "Domain", "Float", "Int", "ListOf", "described", "narrowed", "value_at"]

ON_STEP = 1e-9
"""A number this close to a step, in steps, is on it."""


@dataclass(frozen=True)
class Float:
    """A real interval [low, high].

    `log` says that ratios matter; `also` admits single values outside it (0 = off, None = not used); `step` leaves only
    low, low + step, ... up to high.

    Raises:
        RequestError: no interval.
    """

    low: float
    high: float
    log: bool = False
    also: tuple[float | None, ...] = ()
    step: float | None = None

    def __post_init__(self) -> None:
        _check_range(self, float)

    def accept(self, value: object) -> float | None:
        """Return `value` as a float of this domain, or raise ValueError."""
        given = plain(value)
        if given is None and None in self.also:
            return None
        if given is None or isinstance(given, bool | str | tuple):
            raise ValueError(value)
        number = decimal(float(given))
        if number in self.also:
            return number
        if not self.low <= number <= self.high:
            raise ValueError(value)
        return number if self.step is None else decimal(_on_step(number, self.low, self.step))

    def ends(self) -> tuple[float | None, ...]:
        """Return the values at the border of the domain."""
        return (self.low, self.last, *self.also)

    @property
    def last(self) -> float:
        """The largest value: `high`, or the last step below it."""
        return self.high if self.step is None else decimal(self.low + self.step * _n_steps(self))

    def __str__(self) -> str:
        by = f" in steps of {self.step:g}" if self.step is not None else ""
        return f"a number from {self.low:g} to {self.high:g}{by}{_or(self.also)}"


@dataclass(frozen=True)
class Int:
    """The whole numbers from low to high; `log`, `also` and `step` as those of `Float`.

    Raises:
        RequestError: no interval.
    """

    low: int
    high: int
    log: bool = False
    also: tuple[int | None, ...] = ()
    step: int | None = None

    def __post_init__(self) -> None:
        _check_range(self, int)

    def accept(self, value: object) -> int | None:
        """Return `value` as an int of this domain, or raise ValueError."""
        given = plain(value)
        if given is None and None in self.also:
            return None
        if given is None or isinstance(given, bool | str | tuple) or given != int(given):
            raise ValueError(value)
        number = int(given)
        if number in self.also:
            return number
        if not self.low <= number <= self.high:
            raise ValueError(value)
        return number if self.step is None else int(_on_step(number, self.low, self.step))

    def ends(self) -> tuple[int | None, ...]:
        """Return the values at the border of the domain."""
        return (self.low, self.last, *self.also)

    @property
    def last(self) -> int:
        """The largest value: `high`, or the last step below it."""
        return self.high if self.step is None else self.low + self.step * _n_steps(self)

    def __str__(self) -> str:
        by = f" in steps of {self.step}" if self.step is not None else ""
        return f"a whole number from {self.low} to {self.high}{by}{_or(self.also)}"


@dataclass(frozen=True, init=False)
class Choice:
    """A finite set of options; `ordered` says that their order matters (small, medium, large).

    Raises:
        RequestError: no options, or two that are one.
    """

    options: tuple[Value, ...]
    ordered: bool = False

    def __init__(self, *options: Value, ordered: bool = False) -> None:
        try:
            own = tuple(map(plain, options))
        except (ValueError, OverflowError, RecursionError):
            own = ()
        kinds = [(isinstance(option, bool), option) for option in own]
        if not own or any(one in kinds[:place] for place, one in enumerate(kinds)) or not isinstance(ordered, bool):
            raise RequestError(
                f"Choice{shown(options)} is not allowed; it takes one option or several that differ: numbers, texts, "
                "True, False, None, or lists of those"
            )
        object.__setattr__(self, "options", own)
        object.__setattr__(self, "ordered", ordered)

    def accept(self, value: object) -> Value:
        """Return the option equal to `value` in value and kind, or raise ValueError."""
        given = plain(value)
        for option in self.options:
            if option == given and isinstance(option, bool) == isinstance(given, bool):
                return option
        raise ValueError(value)

    def ends(self) -> tuple[Value, ...]:
        """Return every option."""
        return self.options

    def __str__(self) -> str:
        return "one of " + ", ".join(map(as_text, self.options))


@dataclass(frozen=True)
class ListOf:
    """Lists of `least` to `most` values of one domain: the widths of layers, a schedule. Values are tuples.

    A search or a screening design takes some lists of it as `Choice((64,), (64, 64))`.

    Raises:
        RequestError: no such lists.
    """

    of: Float | Int | Choice
    least: int = 1
    most: int = 16

    def __post_init__(self) -> None:
        sizes = _plain_or_none(self.least), _plain_or_none(self.most)
        whole = all(isinstance(size, int) and not isinstance(size, bool) for size in sizes)
        if not isinstance(self.of, Float | Int | Choice) or not whole or not 0 <= self.least <= self.most:
            raise RequestError(
                f"ListOf{shown((self.of, self.least, self.most))} is not allowed; it takes Float, Int or Choice, "
                "and the least and the largest length"
            )

    def accept(self, value: object) -> tuple[Value, ...]:
        """Return `value` as a tuple of this domain, or raise ValueError."""
        given = plain(value)
        if not isinstance(given, tuple) or not self.least <= len(given) <= self.most:
            raise ValueError(value)
        return tuple(map(self.of.accept, given))

    def ends(self) -> tuple[Value, ...]:
        """Return the shortest list of the least value, and the longest of the largest."""
        low, high, *_ = (*self.of.ends(), self.of.ends()[-1])
        return ((low,) * self.least, (high,) * self.most)

    def __str__(self) -> str:
        return f"a list of {self.least} to {self.most} values, each {self.of}"


Domain: TypeAlias = Float | Int | Choice | ListOf


def narrowed(own: Domain, given: Domain | None, what: str) -> Domain:
    """Return the range that a knob is searched or sampled over, without the single values outside of it.

    Args:
        own: the knob's domain.
        given: a narrower range; None: all of the domain.
        what: the knob, as a message names it.

    Raises:
        RequestError: a range of another kind, or that reaches outside the knob's domain; or lists, of which a range
            has to name some.
    """
    found = own if given is None else given
    if isinstance(found, ListOf):
        raise RequestError(f"the range of {what} is {found}; name some of them: Choice((...), (...))")
    if isinstance(found, Float) and not isinstance(own, Float):
        raise RequestError(f"the range of {what} is {found}, but the knob is {own}")
    for end in found.ends():
        try:
            own.accept(end)
        except (ValueError, OverflowError):
            raise RequestError(f"the range of {what} ends at {end!r}, outside its domain: {own}") from None
    if isinstance(found, Float | Int) and found.also:
        return type(found)(found.low, found.high, found.log, (), found.step)  # type: ignore[arg-type]  # its own
    return found


def value_at(domain: Domain, unit: float) -> Value:
    """Return the value of a range at a place in [0, 1]: linear or logarithmic, rounded for Int, a cell for Choice."""
    if isinstance(domain, Choice):
        return domain.options[min(int(unit * len(domain.options)), len(domain.options) - 1)]
    assert not isinstance(domain, ListOf)  # `narrowed` refuses it
    if domain.step is not None:
        return domain.accept(domain.low + domain.step * min(int(unit * (_n_steps(domain) + 1)), _n_steps(domain)))
    if domain.log:
        value = math.exp(math.log(domain.low) + unit * (math.log(domain.high) - math.log(domain.low)))
    else:
        value = domain.low + unit * (domain.high - domain.low)
    value = min(max(value, domain.low), domain.high)
    return round(value) if isinstance(domain, Int) else float(value)


def described(domain: Domain) -> dict[str, object]:
    """Return a domain as JSON: {"kind": "float" or "int", "low", "high", "log"} or {"kind": "choice", "options"}."""
    if isinstance(domain, ListOf):
        return {"kind": "list", "of": described(domain.of), "least": domain.least, "most": domain.most}
    if isinstance(domain, Choice):
        ordered = {"ordered": True} if domain.ordered else {}
        return {"kind": "choice", "options": list(domain.options), **ordered}
    kind = "int" if isinstance(domain, Int) else "float"
    step = {} if domain.step is None else {"step": domain.step}
    return {"kind": kind, "low": domain.low, "high": domain.high, "log": domain.log, **step}


def _check_range(domain: Float | Int, kind: type[float] | type[int]) -> None:
    """Bring the fields of an interval into their one form, or refuse what is none."""
    name = kind.__name__.capitalize()

    def refuse(why: str) -> RequestError:
        log, step = ", log=True" * (domain.log is True), f", step={shown(domain.step)}" * (domain.step is not None)
        return RequestError(f"{name}({shown(domain.low)}, {shown(domain.high)}{log}{step}) is not allowed; {why}")

    low, high, step = _number(domain.low, kind), _number(domain.high, kind), _number(domain.step, kind)
    also = _plain_or_none(list(domain.also) if isinstance(domain.also, list | tuple) else domain.also)
    if low is None or high is None or not isinstance(domain.log, bool):
        raise refuse(f"it takes two {'numbers' if kind is float else 'whole numbers'}, low and high")
    if low > high:
        raise refuse("low is above high")
    if domain.log and low <= 0:
        raise refuse("a logarithmic range begins above 0")
    if domain.step is not None and (step is None or not 0 < step <= max(high - low, 0) or domain.log):
        raise refuse("a step is above 0, at most as long as the range, and of a range that is not logarithmic")
    if not isinstance(also, tuple) or any(_number(one, kind) is None for one in also if one is not None):
        raise refuse(f"also = {shown(domain.also)}; it lists single values outside the range")
    others = tuple(None if one is None else _number(one, kind) for one in also)
    for field, value in {"low": low, "high": high, "step": step, "also": others}.items():
        object.__setattr__(domain, field, value)


def _number(value: object, kind: type[float] | type[int]) -> float | int | None:
    """Return a number as the kind says; None: it is none."""
    given = _plain_or_none(value)
    if given is None or isinstance(given, bool | str | tuple) or (kind is int and given != int(given)):
        return None
    return kind(given) if kind is int else decimal(float(given))


def _plain_or_none(value: object) -> Value:
    try:
        return plain(value)
    except (ValueError, OverflowError, RecursionError):
        return None


def _n_steps(domain: Float | Int) -> int:
    assert domain.step is not None
    return int((domain.high - domain.low) / domain.step + ON_STEP)


def _on_step(number: float, low: float, step: float) -> float:
    place = (number - low) / step
    if abs(place - round(place)) > ON_STEP:
        raise ValueError(number)
    return low + step * round(place)


def _or(also: tuple[Value, ...]) -> str:
    return " or ".join(["", *map(as_text, also)])
