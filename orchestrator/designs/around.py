"""Any finite design around a configuration that a search, in this study or in an earlier one, chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.designs.base import Arm, Contrast, Design
from orchestrator.designs.search import Search
from orchestrator.errors import RequestError
from orchestrator.knobs import Knob, Value

__all__ = ["Around", "around"]


@dataclass(frozen=True)
class Around:
    """A search (or the name of a study that holds one), then a finite design; see `around`."""

    first: Search | str
    then: Design

    @property
    def method(self) -> str:
        """The method of the finite design."""
        return self.then.method

    @property
    def knobs(self) -> tuple[str, ...]:
        """The searched knobs and the varied ones."""
        searched = self.first.knobs if isinstance(self.first, Search) else ()
        return tuple(dict.fromkeys((*searched, *self.then.knobs)))

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return the arms of the finite design around `base`, the chosen configuration."""
        return self.then.arms(space, base)

    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return the contrasts of the finite design."""
        return self.then.contrasts(arms)


def around(first: Search | str, then: Design) -> Around:
    """Choose by `first` on search seeds, then run `then` around the choice on confirm seeds, which nobody looked at."""
    if isinstance(first, Search) and first.method != then.method:
        raise RequestError(f"around: the search tunes {first.method!r} but the design varies {then.method!r}")
    return Around(first, then)
