"""Published numbers that no paper printed, beside an honest study: judged by what is known of them, or described."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from honest import STUDY, TEXTS
from hypothesis import strategies as st

from analysis.data import study_view
from analysis.published import Published
from analysis.verdicts import reproduction

NUMBERS = st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, 0.5, 1e-300, 1e300, -0.0])
SPREADS = st.just(math.nan) | st.floats(0.0, 10.0) | st.sampled_from([1e-300, 1e100])
SETTINGS = st.dictionaries(
    st.sampled_from(["step", "fragile", "dots", "", "x"]), st.sampled_from(["1", "1.0", "nan", "inf", "True", "", "²"])
)
CONDITIONS = st.dictionaries(
    st.sampled_from(["n_epochs", "step", "network", "input", "images", "batch_size"]),
    st.one_of(TEXTS, st.integers(), st.floats(), st.booleans(), st.none()),
    max_size=3,
)
PUBLISHED = st.builds(
    Published,
    paper=TEXTS,
    table=TEXTS,
    title=TEXTS,
    method=st.sampled_from(["walk", "kmeans", "propos", ""]),
    setting=SETTINGS,
    dataset=st.sampled_from(["dots", "digits", ""]),
    metric=st.sampled_from(["nmi", "acc", "neighbour_mi", "loss"]),
    value=NUMBERS,
    std=SPREADS,
    n=st.sampled_from([0, 1, 2, 3, 10, 10**9]),
    protocol=st.sampled_from(["whole", "split"]),
    conditions=CONDITIONS,
    source=st.just("Table 1"),
    certainty=st.sampled_from(["printed", "restored"]),
    target=st.booleans(),
)
OWN = st.lists(st.floats(-1e3, 1e3), max_size=8)
MARGINS = st.none() | st.floats(1e-6, 1e3)
CASES = st.tuples(PUBLISHED, OWN, MARGINS)
"""(a number, own values by seed, the study's margin)."""


def check(case: tuple[Published, list[float], float | None], results: Path) -> None:
    """Judge it against values, and stand it beside a study."""
    published, own, margin = case
    judged = reproduction.compare(np.array(own, dtype=np.float64), published, margin)
    holds(judged, published, own, margin)
    study = study_view.load(results, STUDY)
    with mock.patch.object(reproduction, "numbers", lambda: (published,)):
        found = reproduction.comparisons(study)
    for one in found:
        assert one.judged.word in reproduction.WORDS
        assert (one.judged.word == "other conditions") == bool(one.differences)
        assert published.target
    assert reproduction.summary(found).count("beside this study") == bool(found)


def holds(judged: Any, published: Published, own: list[float], margin: float | None) -> None:
    """Assert that a word follows from what is known."""
    assert judged.word in reproduction.WORDS
    if margin is None or published.n < 2 or math.isnan(published.std):
        assert judged.word == "described"
        return
    assert len(own) >= 2 or judged.word == "inconclusive"
    assert math.isnan(judged.difference) == (not own)
    if judged.word == "reproduced":
        assert abs(judged.difference) <= margin
    if judged.word == "not reproduced":
        assert abs(judged.difference) > margin
    if len(own) >= 2:
        assert judged.low <= judged.difference <= judged.high
        assert judged.difference == pytest.approx(float(np.mean(own)) - published.value)
