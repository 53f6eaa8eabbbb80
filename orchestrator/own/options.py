"""What every declared method may say of itself, and its knobs: checked when a study's file is loaded."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from orchestrator.allowed import Checked, Rule, allowed, instance, mapping, number, whole, word
from orchestrator.domains import Choice, Float, Int, ListOf
from orchestrator.errors import RequestError, UnknownNameError, shown
from orchestrator.knobs import Knob, Value
from orchestrator.metric import GUESSED, Metric

__all__ = ["KNOBS", "Common", "knobs_from", "made", "name_or"]

RESERVED = ("n_epochs", "seed", "dataset", "protocol", "epochs", "seeds", "precision", "warm_start", "datasets")
"""What a trial has beside its knobs."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")

MOST_GPUS, MOST_CORES, MOST_EPOCHS = 64, 1_024, 1_000_000

_FIELDS = tuple(one.name for one in dataclasses.fields(Metric) if one.name not in ("compute", "cost"))

KNOBS = mapping(
    instance((dataclasses.Field, Float, Int, Choice, ListOf), "knob(DEFAULT, DOMAIN), or a domain: Float(1e-4, 1e-1)"),
    "name -> knob(DEFAULT, DOMAIN)",
)


def _facts(given: object, where: str) -> dict[str, Any]:
    """Return the facts of a metric as a mapping."""
    if isinstance(given, Metric):
        given = {name: getattr(given, name) for name in _FIELDS}
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise TypeError(given)
    for name in given:
        if name not in _FIELDS:
            raise UnknownNameError(f"fact of a metric in {where}", name, _FIELDS)
    found = dict(given)
    if found.get("chance") == GUESSED:
        del found["chance"]  # what is guessed is known of metrics that are computed here only
    try:
        Metric(**{"written": "it", **found})
    except ValueError as error:
        raise RequestError(f"{where}: {error}") from None
    return found


FACTS = mapping(
    Rule("the metric's facts, such as dict(reads_labels=True, percent=True)", _facts),
    "metric -> its facts, such as dict(reads_labels=True, percent=True, chance=0.1)",
)


@dataclass(frozen=True, kw_only=True)
class Common(Checked):
    """What is said of any declared method.

    Raises:
        RequestError: a field holds what it may not; the line names the field, the value and what is allowed.
    """

    kind: ClassVar[str] = "method"

    name: str = field(metadata=allowed(word()))
    n_epochs: int = field(default=1, metadata=allowed(whole(1, MOST_EPOCHS)))
    version: int = field(default=1, metadata=allowed(whole(1, 10**9)))
    """Raised to have all of its trials trained again."""
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, metadata=allowed(FACTS))
    tolerance: float = field(default=0.0, metadata=allowed(number(0)))
    gpus: float = field(default=1.0, metadata=allowed(number(0, MOST_GPUS)))
    cores: float = field(default=1.0, metadata=allowed(number(above=0, high=MOST_CORES)))

    @property
    def called(self) -> str:  # type: ignore[override]  # read only
        """The method as messages name it."""
        return f"{self.kind} {self.name}" if isinstance(self.name, str) and self.name else self.kind

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            RequestError: one line that names the value and what is allowed.
        """
        super().__post_init__()
        if self.gpus != int(self.gpus) and self.gpus > 1:
            raise RequestError(f"{self.called}: gpus = {self.gpus:g} is not allowed; it is a whole number, or below 1")


Made = TypeVar("Made", bound=Common)


def made(kind: type[Made], options: Mapping[str, object], **own: object) -> Made:
    """Return what a declaration says, checked.

    Args:
        kind: the class of its fields.
        options: of the call, by name.
        own: what else is known.

    Raises:
        UnknownNameError: an option that there is not; names those that there are.
        RequestError: a field holds what it may not.
    """
    known = [one.name for one in dataclasses.fields(kind) if one.name not in own]
    for name in options:
        if name not in known:
            raise UnknownNameError(f"option of {kind.kind}", name, known)
    make: Callable[..., Made] = kind  # its own checks say what is wrong with a value
    return make(**own, **options)


def name_or(name: object, otherwise: str) -> Any:
    """Return the name that was given, whatever it is (the field's rule checks it), or another one if none was."""
    return otherwise if name is None or (isinstance(name, str) and not name) else name


def knobs_from(given: Mapping[str, object], defaults: Mapping[str, Value], who: str) -> dict[str, Knob]:
    """Return the knobs that a declaration names.

    Args:
        given: name -> `knob(default, domain)`, or a domain alone.
        defaults: what is known of defaults from elsewhere, for domains alone.
        who: the method, for messages.

    Raises:
        RequestError: a name that cannot be one, a domain without a default, or a default outside of it.
    """
    found: dict[str, Knob] = {}
    for name, one in KNOBS.accept(given, f"{who}: knobs").items():
        if not NAME.fullmatch(name) or name in RESERVED:
            raise RequestError(
                f"{who}: a knob cannot be named {name!r}; it is letters, digits, '_' and '-', and none of "
                f"{', '.join(RESERVED)}"
            )
        found[name] = _knob(name, one, defaults, who)
    for name, known in found.items():
        for other in known.when:
            if other not in found:
                raise UnknownNameError(f"knob in a condition on {name!r} of {who}", other, found)
    return found


def _knob(name: str, given: Any, defaults: Mapping[str, Value], who: str) -> Knob:
    if isinstance(given, dataclasses.Field):
        known = given.metadata.get("knob")
        if not isinstance(known, Knob):
            raise RequestError(f"{who}: knob {name!r} is no knob(DEFAULT, DOMAIN)")
        return known
    if name not in defaults:
        raise RequestError(
            f"{who}: the default of knob {name!r} is not known; write knob(DEFAULT, {type(given).__name__}(...))"
        )
    try:
        return Knob(given.accept(defaults[name]), given)
    except (ValueError, TypeError, OverflowError):
        raise RequestError(
            f"{who}: the default of knob {name!r}, {shown(defaults[name])}, is outside its domain: {given}"
        ) from None
