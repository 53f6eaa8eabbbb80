"""Any finite design around a configuration that a search, in this study or in an earlier one, chose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from orchestrator.allowed import Rule, allowed, either, instance, text
from orchestrator.designs.base import DESIGN, Arm, Contrast, Design
from orchestrator.designs.search import Search
from orchestrator.errors import RequestError
from orchestrator.knobs import Knob, Value

__all__ = ["Around", "around"]


FIRST = either(instance(Search, "search(...)"), text("the name of an earlier study"))


def _finite(given: object, where: str) -> Design:
    found: Design = DESIGN.convert(given, where)
    if found.search is not None or found.starts_from:
        raise TypeError(given)
    return found


THEN = Rule("a finite design, such as one_factor(...)", _finite)


@dataclass(frozen=True)
class Around(Design):
    """A search (or the name of a study that holds one), then a finite design; see `around`."""

    kind: ClassVar[str] = "around"

    first: Search | str = field(metadata=allowed(FIRST))
    then: Design = field(metadata=allowed(THEN))

    def __post_init__(self) -> None:
        """Check the two parts, and that they are about one method.

        Raises:
            RequestError: they are not.
        """
        super().__post_init__()
        if isinstance(self.first, Search) and self.first.method != self.then.method:
            raise RequestError(
                f"around: the search tunes {self.first.method!r} but the design varies {self.then.method!r}"
            )

    @property
    def called(self) -> str:  # type: ignore[override]  # read only
        """The design as messages name it."""
        return self.kind

    @property
    def method(self) -> str:  # type: ignore[override]  # read only, as the fields of the other designs are
        """The method of the finite design."""
        return self.then.method

    @property
    def sets(self) -> Mapping[str, Value]:
        """What the finite design sets, beneath the choice."""
        return self.then.sets

    @property
    def search(self) -> Search | None:
        """The search within; None: an earlier study has it."""
        return self.first if isinstance(self.first, Search) else None

    @property
    def starts_from(self) -> str:
        """Name of the earlier study; empty: the search is within."""
        return self.first if isinstance(self.first, str) else ""

    def with_base(self, values: Mapping[str, Value]) -> Around | None:
        """Return both parts with `values` on top of what they set; None: the finite design sets nothing."""
        then = self.then.with_base(values)
        first = self.first if isinstance(self.first, str) else self.first.with_base(values)
        return None if then is None else replace(self, then=then, first=first)

    def with_search(self, change: Callable[[Search], Search]) -> Around:
        """Return the design with its search changed."""
        return replace(self, first=change(self.first)) if isinstance(self.first, Search) else self

    def starting_from(self, rename: Callable[[str], str]) -> Around:
        """Return the design with its earlier study renamed."""
        return replace(self, first=rename(self.first)) if isinstance(self.first, str) else self

    def described(self) -> dict[str, object]:
        """Return what the finite design says of itself, and where its base comes from."""
        return {**self.then.described(), "around": self.starts_from or "search"}

    @property
    def knobs(self) -> tuple[str, ...]:
        """The searched knobs and the varied ones."""
        searched = self.first.knobs if isinstance(self.first, Search) else ()
        return tuple(dict.fromkeys((*searched, *self.then.knobs)))

    @property
    def most_arms(self) -> int:
        """As many as those of the finite design."""
        return self.then.most_arms

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return the arms of the finite design around `base`, the chosen configuration."""
        return self.then.arms(space, base)

    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return the contrasts of the finite design."""
        return self.then.contrasts(arms)


def around(first: Search | str, then: Design) -> Around:
    """Choose by `first` on search seeds, then run `then` around the choice on confirm seeds, which nobody looked at."""
    return Around(first, then)
