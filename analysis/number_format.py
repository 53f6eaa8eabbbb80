"""How metrics and numbers are written for a reader: labels, scales, signs, p-values (no statistics here)."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["join", "label", "number", "p_text", "scale", "seeds_text", "signed", "span", "unit"]

MINUS = "−"
IN_PERCENT = ("acc", "nmi", "ari", "ami")
"""External metrics within [0, 1], which the papers print times 100; differences of them are points."""
SPELT = {
    "neighbour_mi": "neighbour MI",
    "between_seed_mi": "between-seed MI",
    "silhouette": "silhouette",
    "preservation": "preservation",
    "loss": "loss",
}


def label(metric: str) -> str:
    """Return the metric's name as tables and axes print it, with its unit."""
    return f"{metric.upper()} (%)" if metric in IN_PERCENT else SPELT.get(metric, metric.replace("_", " "))


def name(metric: str) -> str:
    """Return the metric's name without its unit, for sentences."""
    return metric.upper() if metric in IN_PERCENT else SPELT.get(metric, metric.replace("_", " "))


def scale(metric: str) -> float:
    """Return the factor from the ledger's number to the printed one."""
    return 100.0 if metric in IN_PERCENT else 1.0


def unit(metric: str) -> str:
    """Return the word after a difference of this metric, with its leading space."""
    return " points" if metric in IN_PERCENT else ""


def number(value: float, metric: str = "") -> str:
    """Return a value of `metric` in its printed scale; "–" where there is none."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else f"{MINUS}∞")
    text = f"{100 * value:.1f}" if metric in IN_PERCENT else f"{value:.3g}"
    return text.replace("e-0", "e-").replace("-", MINUS)


def signed(value: float, metric: str = "") -> str:
    """Return a difference with its sign always written."""
    text = number(value, metric)
    return text if text.startswith((MINUS, "–")) else f"+{text}"


def span(low: float, high: float, metric: str = "") -> str:
    """Return an interval of differences, signs written."""
    return f"{signed(low, metric)} to {signed(high, metric)}"


def seeds_text(seeds: Sequence[int]) -> str:
    """Return "seed 3", "seeds 1, 4 and 6" or "seeds 0 to 11"; runs of three and more are drawn together."""
    ordered = sorted(set(seeds))
    runs: list[list[int]] = []
    for seed in ordered:
        if runs and seed == runs[-1][-1] + 1:
            runs[-1].append(seed)
        else:
            runs.append([seed])
    parts = [text for run in runs for text in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run))]
    return f"seed{'s' * (len(ordered) > 1)} {join(parts)}"


def p_text(p: float) -> str:
    """Return "p = 0.012", "p < 0.001" or "p not available"."""
    if math.isnan(p):
        return "p not available"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def join(words: Sequence[str], last: str = "and") -> str:
    """Return "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""
