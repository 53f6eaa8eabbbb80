"""Fields of a study and of a tier with values that nobody meant: taken in one form, or refused by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from odd_values import (
    ODD,
    SCALARS,
    between,
    flag,
    is_number,
    knob_value,
    listed,
    mapped,
    or_none,
    or_refused,
    text,
    whole,
)

from orchestrator import study as studies
from orchestrator.designs.base import Design
from orchestrator.designs.one_factor import one_factor
from orchestrator.errors import RequestError
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.study import Plateau, Study, Tier, UntilDecided

STUDY = Study(
    question="q", datasets=("gaussians",), design=one_factor("kmeans", {"n_init": [1]}), name="asked", exploratory=True
)
TIER = Tier(datasets=("digits",))
CATALOGUE = Catalogue(without_data=True)


def seeds(value: Any) -> bool:
    return isinstance(value, UntilDecided) or whole(1, 100_000)(value)


def positive(value: Any) -> bool:
    return is_number(value) and float(value) > 0


def one_of(*words: str) -> Any:
    return lambda value: isinstance(value, str) and value in words


def reference(value: Any) -> bool:
    return text(value, most=1_000)


def a_design(value: Any) -> bool:
    return isinstance(value, Design)


EPOCHS, PROTOCOL = or_none(whole(1, 1_000_000)), one_of("whole", "split")
DATASETS = listed(reference, 1, distinct=True)
STUDIES = {
    "question": lambda value: text(value, most=10_000, lines=True),
    "design": a_design,
    "datasets": DATASETS,
    "rivals": listed(a_design),
    "seeds": seeds,
    "seeds_by_hand": or_none(whole(1, 100_000)),
    "n_epochs": EPOCHS,
    "paper": lambda value: text(value, empty=True),
    "protocol": PROTOCOL,
    "precision": one_of("float32", "tf32", "bfloat16"),
    "metric": text,
    "alpha": between(0, 1, ends=False),
    "margin": or_none(positive),
    "beats_chance_by": lambda value: is_number(value) and float(value) >= 0,
    "exploratory": flag,
    "stop": or_none(lambda value: isinstance(value, Plateau)),
    "failure_budget": between(0, 1, ends=True),
    "tiers": mapped(lambda value: isinstance(value, Tier)),
    "keep": one_of("", "chosen", "confirm"),
}
"""Field -> whether it may hold a value."""
TIERS = {
    "datasets": DATASETS,
    "n_epochs": EPOCHS,
    "search_epochs": EPOCHS,
    "seeds": or_none(seeds),
    "protocol": or_none(PROTOCOL),
    "base": mapped(mapped(knob_value)),
    "epoch_seconds": mapped(positive),
}
VALUES = st.one_of(
    ODD,
    SCALARS,
    st.sampled_from(["whole", "split", "float32", "bfloat16", "tf32", "acc", "loss", "neighbour_mi", "chosen"]),
)
CASES = st.one_of(
    st.tuples(st.just(True), st.sampled_from(sorted(STUDIES)), VALUES),
    st.tuples(st.just(False), st.sampled_from(sorted(TIERS)), VALUES),
)
"""(of a study or of a tier, the field, the value)."""


def check(case: tuple[bool, str, Any], results: Path) -> None:
    """Change one field; a study that is made then is planned, or refused in one line too."""
    of_study, name, value = case
    del results
    if not of_study:
        or_refused(lambda: replace(TIER, **{name: value}), names=name, expected=TIERS[name](value))
        return
    study = or_refused(lambda: replace(STUDY, **{name: value}), names=name, expected=STUDIES[name](value))
    if study is not None:
        is_planned(study)


def is_planned(study: Study) -> None:
    """Assert that a study is planned as it says, or refused in one line."""
    try:
        studies.check(study)
        plan = plan_of(study, CATALOGUE)
        plan.require_power()
    except RequestError as error:
        assert "\n" not in str(error)
        assert str(error).isprintable()
        return
    assert len({arm.name for arm in plan.arms}) == len(plan.arms)
    if study.looks[-1] <= 100:
        assert len(plan.confirm_trials(range(study.looks[-1]))) == len(plan.arms) * study.looks[-1]
