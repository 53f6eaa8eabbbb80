"""How metrics and numbers are written for a reader: labels, scales, signs, p-values (no statistics here).

What is known of a metric (its written name, whether it is printed in per cent) stands in the metric's file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from orchestrator import discovery

__all__ = ["join", "label", "number", "p_text", "scale", "seeds_text", "sides", "signed", "span", "unit"]

MINUS = "−"
SPELT = {"between_seed_mi": "between-seed MI"}
"""What is compared like a metric and is none of a trial."""


def label(metric: str) -> str:
    """Return the metric's name as tables and axes print it, with its unit."""
    return f"{name(metric)} (%)" if discovery.metric(metric).percent else name(metric)


def name(metric: str) -> str:
    """Return the metric's name without its unit, for sentences."""
    return SPELT.get(metric) or discovery.metric(metric).written


def scale(metric: str) -> float:
    """Return the factor from the ledger's number to the printed one."""
    return 100.0 if discovery.metric(metric).percent else 1.0


def unit(metric: str) -> str:
    """Return the word after a difference of this metric, with its leading space."""
    return " points" if discovery.metric(metric).percent else ""


def sides(metric: str) -> tuple[str, str]:
    """Return what a larger and what a smaller value of this metric is called: better, worse, or neither."""
    larger = discovery.metric(metric).larger_is_better
    if larger is None:
        return "higher", "lower"
    return ("better", "worse") if larger else ("worse", "better")


def number(value: float, metric: str = "") -> str:
    """Return a value of `metric` in its printed scale; "–" where there is none."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else f"{MINUS}∞")
    value += 0.0  # makes of minus nought nought
    text = f"{100 * value:.1f}" if metric and discovery.metric(metric).percent else f"{value:.3g}"
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
