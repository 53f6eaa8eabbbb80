"""A study beside the published numbers: reproduced, not reproduced or inconclusive; or not comparable, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.data import study_view
from analysis.data.independent_values import independent
from analysis.data.study_view import StudyView
from analysis.number_format import join, name, number, signed, span, unit
from analysis.published import UNTRAINED, Published, numbers

__all__ = ["WORDS", "Comparison", "Judged", "compare", "comparisons"]

Floats = NDArray[np.float64]
Word = Literal["reproduced", "not reproduced", "inconclusive", "described", "other conditions"]

WORDS: tuple[Word, ...] = ("reproduced", "not reproduced", "inconclusive", "described", "other conditions")
"""Judged only where data, features, network, protocol and budget are the paper's, a spread and the number of runs are
printed, and the study states a margin for this metric. Else the two stand side by side, described."""

STAND_INS = {"pipcdr": ("propos",)}
"""Methods of which no table was found -> the methods whose tables stand in for theirs."""


INPUTS = {"": "pixels", "resnet50": "frozen ImageNet ResNet-50 features"}
"""`features` of a dataset reference -> what the papers' tables call it."""


@dataclass(frozen=True)
class Judged:
    """Own mean minus the published one, its interval, and what follows with the study's margin."""

    word: Word
    difference: float
    low: float
    high: float
    p: float
    """Of the equivalence test: small means that the two differ by less than the margin; nan: none was made."""


@dataclass(frozen=True)
class Comparison:
    """One published number beside an arm of the study."""

    published: Published
    arm: str
    dataset: str
    n: int
    judged: Judged
    differences: tuple[str, ...]
    """Conditions that are not the paper's."""
    sentence: str


def compare(own: Floats, published: Published, margin: float | None, alpha: float = 0.05) -> Judged:
    """Judge own per-seed values against a published mean, under equal conditions.

    Reproduced: two one-sided Welch tests show a difference within the margin (Schuirmann 1987). Not reproduced: the
    interval of the difference lies outside the margin. Inconclusive: neither. Described: no margin, or the paper prints
    no spread or number of runs, so that nothing is known of how its number would vary.

    Args:
        own: (n,) values of the arm's complete seeds, collapsed ones included.
        published: the number.
        margin: the study's own, stated before the run, in the ledger's units; None: it states none for this metric.
        alpha: level of the test and of the interval.
    """
    n, known = len(own), published.n > 1 and math.isfinite(published.std)
    difference = float(own.mean()) - published.value if n else math.nan
    word: Word = "inconclusive" if known and margin is not None else "described"
    if n < 2 or not known:
        return Judged(word, difference, -math.inf, math.inf, math.nan)
    ours, theirs = float(own.var(ddof=1)) / n, published.std**2 / published.n
    error = math.sqrt(ours + theirs)
    if error == 0:
        p = math.nan if margin is None else float(abs(difference) > margin)
        return Judged(_word(difference, difference, p, margin, alpha), difference, difference, difference, p)
    share = ours / (ours + theirs)  # squares of small or large variances leave what a float holds, shares do not
    freedom = 1 / (share**2 / (n - 1) + (1 - share) ** 2 / (published.n - 1))
    reach = float(stats.t.ppf(1 - alpha / 2, freedom)) * error
    p = math.nan if margin is None else float(stats.t.sf((margin - abs(difference)) / error, freedom))
    low, high = difference - reach, difference + reach
    return Judged(_word(low, high, p, margin, alpha), difference, low, high, p)


def _word(low: float, high: float, p: float, margin: float | None, alpha: float) -> Word:
    if margin is None:
        return "described"
    outside = low > margin or high < -margin
    return "reproduced" if p <= alpha else "not reproduced" if outside else "inconclusive"


def comparisons(study: StudyView) -> list[Comparison]:
    """Return every published number that an arm of the study stands beside, in the order of the papers' tables.

    An arm stands beside a number of its method, data (or a part of it), metric and protocol, if it has the knobs that
    the number's line states; arms that vary anything else are not what the paper ran.
    """
    rows = study_view.confirm_rows(study)
    complete = rows[rows["state"] == "complete"]
    groups = {str(arm): group for arm, group in complete.groupby("arm", observed=True)}
    known = []
    for arm in study.record["arms"]:
        own = groups.get(str(arm["name"]))
        if own is not None:
            known.append((arm, own, _knobs(own.iloc[0].to_dict())))
    targets = [one for one in numbers() if one.target and f"metric.{one.metric}" in rows]
    drawn = study_view.drawn_stages(study)
    found = []
    for published in targets:
        for arm, own, knobs in known:
            if _stands_beside(published, arm, knobs, str(study.record["protocol"])):
                there = own[own[f"metric.{published.metric}"].notna()]
                by_seed = dict(zip(there["seed"], there[f"metric.{published.metric}"].astype(float), strict=True))
                values = independent(by_seed, drawn.get(str(arm["name"]), {})).values
                margin = study.record.get("margin") if published.metric == study.metric else None
                differences = _differences(published, study, arm, knobs)
                found.append(_comparison(published, arm, values, differences, margin))
    return found


def _knobs(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the knobs of a row that have a value there."""
    found = {}
    for column, value in row.items():
        before, prefix, knob = str(column).partition("knob.")
        if prefix and not before and value is not None and not _is_nan(value):
            found[knob] = value
    return found


def _is_nan(value: object) -> bool:
    """Return whether a knob's column has no value here: the method has no such knob."""
    return isinstance(value, float) and math.isnan(value)


def _stands_beside(published: Published, arm: Mapping[str, Any], knobs: Mapping[str, Any], protocol: str) -> bool:
    base = str(arm["dataset"]).partition(":")[0]
    methods = (arm["method"], *STAND_INS.get(str(arm["method"]), ()))
    varied = str(arm.get("factor") or "")
    return (
        published.method in methods
        and (base == published.dataset or base.startswith(f"{published.dataset}_"))
        and protocol == published.protocol
        and (arm["role"] != "level" or varied in published.setting)
        and all(knob in knobs and _same(knobs[knob], value) for knob, value in published.setting.items())
    )


def _same(own: object, stated: object) -> bool:
    """Return whether two values mean the same, whatever their types: 0.9 and "0.90", True and "true"."""
    try:
        return math.isclose(float(str(own)), float(str(stated)), rel_tol=1e-9)
    except ValueError:
        return str(own).lower() == str(stated).lower()


def _differences(
    published: Published, study: StudyView, arm: Mapping[str, Any], knobs: Mapping[str, Any]
) -> tuple[str, ...]:
    """Spell out what is not as in the paper, or not known to be."""
    data, _, options = str(arm["dataset"]).partition(":")
    chosen = dict(part.split("=", 1) for part in options.split(",") if "=" in part)
    own: dict[str, Any] = {**knobs, "n_epochs": study.record.get("n_epochs")}
    own |= {"input": INPUTS.get(chosen.pop("features", ""), "other features")}
    same_data = data == published.dataset and not chosen
    if same_data and "images" in published.conditions:
        own["images"] = published.conditions["images"]  # a dataset of the paper's name and no part of it
    rows = study.rows.loc[(study.rows["arm"] == arm["name"]) & study.rows["n_epochs"].notna(), "n_epochs"]
    if len(rows):
        own["n_epochs"] = int(rows.iloc[0])
    found = [] if same_data else [f"data {arm['dataset']} instead of {published.dataset}"]
    if published.method != arm["method"]:
        found.append(f"{published.method} stands in for {arm['method']}, of which no table was found")
    for condition, value in published.conditions.items():
        shown = condition.replace("_", " ")
        if own.get(condition) is None:
            found.append(f"{shown} {value} in the paper, no knob here")
        elif not _same(own[condition], value):
            here = own[condition]
            found.append(f"{shown} {f'{here:g}' if isinstance(here, float) else here} instead of {value}")
    found += _unstated(published, str(own["input"]))
    if published.certainty != "printed":
        found.append(f"the number itself: {published.certainty}")
    return tuple(found)


def _unstated(published: Published, own_input: str) -> list[str]:
    """Name what a comparison needs to know and the paper does not say."""
    needed = () if published.method in UNTRAINED else ("network", "n_epochs")
    lacking = [f"{one.replace('_', ' ')} not stated in the paper" for one in needed if one not in published.conditions]
    if "input" not in published.conditions and own_input != INPUTS[""]:
        lacking.append(f"input {own_input}, not stated in the paper")
    return lacking


def _comparison(
    published: Published, arm: Mapping[str, Any], values: Floats, differences: Sequence[str], margin: float | None
) -> Comparison:
    metric = published.metric
    judged = compare(values, published, margin)
    if differences:
        judged = replace(judged, word="other conditions", p=math.nan)
    spread = "no spread given" if math.isnan(published.std) else f"standard deviation {number(published.std, metric)}"
    trials = f", {published.n} trials" if published.n else ", number of trials not given"
    ends = f"95 % interval {span(judged.low, judged.high, metric)}" if math.isfinite(judged.low) else "no interval"
    own = number(float(values.mean()), metric) if len(values) else "no value"
    short = str(arm["name"]).removesuffix(f" @ {arm['dataset']}")
    setting = (
        f" ({', '.join(f'{knob} {value}' for knob, value in published.setting.items())})" if published.setting else ""
    )
    sentence = (
        f"{published.source}: {published.method}{setting} {name(metric)} {number(published.value, metric)} on "
        f"{published.dataset} ({spread}{trials}). Here {short} on {arm['dataset']}: {own} over {len(values)} seeds, "
        f"{signed(judged.difference, metric)}{unit(metric)} ({ends}); {_said(judged, published, differences, margin)}"
    )
    return Comparison(
        published, str(arm["name"]), str(arm["dataset"]), len(values), judged, tuple(differences), sentence
    )


def _said(judged: Judged, published: Published, differences: Sequence[str], margin: float | None) -> str:
    if differences:
        return f"other conditions, not comparable: {'; '.join(differences)}."
    if margin is None:
        return f"described, since the study states no margin for {name(published.metric)}. Same conditions."
    if judged.word == "described":
        return "described, since the paper does not say how much its number varies over how many runs. Same conditions."
    return f"{judged.word} within the study's margin of ±{number(margin, published.metric)}. Same conditions."


def summary(found: Sequence[Comparison]) -> str:
    """Return one sentence that counts the words; empty without published numbers."""
    words = [one.judged.word for one in found]
    parts = [f"{words.count(word)} {word}" for word in WORDS if word in words]
    return (
        f"Of {len(found)} published number{'s' * (len(found) > 1)} beside this study: {join(parts)}." if found else ""
    )
