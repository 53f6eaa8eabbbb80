"""What a record says of a searched knob's domain, as Optuna's distribution; cheap to import, as live pages need it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # inside a notebook tqdm asks for widgets, which a report does not need
    from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

__all__ = ["distribution", "log_scaled"]

LOG_RATIO = 30.0
"""A positive range that spans more than this ratio is taken as logarithmic where the record does not say."""


def log_scaled(low: float, high: float) -> bool:
    """Return whether a range without a declared scale is taken as logarithmic."""
    return low > 0 and high / low > LOG_RATIO


def distribution(values: Sequence[Any], domain: object = None) -> BaseDistribution:
    """Return Optuna's distribution of a searched knob.

    Args:
        values: the values that were tried; numbers or options.
        domain: the record's entry: a mapping with low, high and log (or options), or a text as `orchestrator.knobs`
            writes domains, which does not tell the scale: then `log_scaled` does.
    """
    known = domain if isinstance(domain, Mapping) else _read(str(domain or ""))
    if "options" in known or any(isinstance(value, bool | str) for value in values):
        return CategoricalDistribution(list(known.get("options", sorted(set(values), key=str))))
    low, high = float(known.get("low", min(values))), float(known.get("high", max(values)))
    log = bool(known.get("log", log_scaled(low, high)))
    whole = known.get("kind", "int" if all(float(value).is_integer() for value in values) else "float") == "int"
    return IntDistribution(int(low), int(high), log=log) if whole else FloatDistribution(low, high, log=log)


def _read(text: str) -> dict[str, Any]:
    """Return the bounds in "a number from 1e-05 to 0.1" or "a whole number from 1 to 9"; nothing of other texts."""
    found = re.match(r"a (whole )?number from (\S+) to (\S+)", text)
    if found is None:
        return {}
    whole, low, high = found.groups()
    return {"kind": "int" if whole else "float", "low": float(low), "high": float(high)}
