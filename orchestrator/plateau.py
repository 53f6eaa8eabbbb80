"""Stopping at a plateau: a rule of a study, read off a curve that no label has a part in.

It is part of a trial's identity: a trial that may stop early is another trial, `complete` when it stops.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from orchestrator.allowed import Checked, allowed, number, text, whole
from orchestrator.trial import canonical_json

__all__ = ["Plateau", "StopRule"]

MOST_EPOCHS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Plateau(Checked):
    """A trial ends when `metric` has not become better for `patience` epochs."""

    metric: str = field(default="loss", metadata=allowed(text("the name of a metric that reads no labels")))
    patience: int = field(default=5, metadata=allowed(whole(1, MOST_EPOCHS)))
    """Epochs without an improvement."""
    least: float = field(default=0.0, metadata=allowed(number(0)))
    """What counts as one, relative to the best value before: 0.01 is one per cent."""
    after: int = field(default=0, metadata=allowed(whole(0, MOST_EPOCHS)))
    """Epochs that are trained in any case."""


@dataclass(frozen=True)
class StopRule:
    """A plateau with the direction of its metric, as a trial carries it."""

    plateau: Plateau
    larger_is_better: bool

    @property
    def written(self) -> str:
        """The rule as canonical JSON."""
        return canonical_json({"plateau": asdict(self.plateau), "larger_is_better": self.larger_is_better})

    @classmethod
    def read(cls, written: str) -> StopRule:
        """Return the rule that `written` gave.

        Raises:
            ValueError: it is none.
            RequestError: a field holds what it may not.
        """
        content: Any = json.loads(written)
        if not isinstance(content, dict) or set(content) != {"plateau", "larger_is_better"}:
            raise ValueError(f"{written[:80]!r} is no rule for stopping")
        if not isinstance(content["plateau"], dict) or not isinstance(content["larger_is_better"], bool):
            raise ValueError(f"{written[:80]!r} is no rule for stopping")
        try:
            return cls(Plateau(**content["plateau"]), content["larger_is_better"])
        except TypeError as error:
            raise ValueError(f"{written[:80]!r} is no rule for stopping") from error

    def reached(self, curve: Sequence[float]) -> bool:
        """Return whether a curve, one value an epoch, has come to rest; a value that is no number improves nothing."""
        rule = self.plateau
        if len(curve) <= max(rule.after, rule.patience):
            return False
        sign = 1.0 if self.larger_is_better else -1.0
        rising = [sign * value if math.isfinite(value) else -math.inf for value in curve]
        before, lately = max(rising[: -rule.patience]), max(rising[-rule.patience :])
        if not math.isfinite(before):
            return not math.isfinite(lately)
        return lately - before <= rule.least * abs(before)
