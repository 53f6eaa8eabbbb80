"""The size of a study is counted from its fields: what nobody could plan is refused at once."""

from dataclasses import replace

import pytest

from orchestrator.designs.around import around
from orchestrator.designs.components import Component
from orchestrator.designs.factorial import factorial
from orchestrator.designs.fractional_factorial import fractional_factorial
from orchestrator.designs.grid import grid
from orchestrator.designs.leave_one_out import leave_one_out
from orchestrator.designs.morris import morris
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.designs.sobol import sobol
from orchestrator.errors import RequestError
from orchestrator.knobs import Choice, Float, Int, Knob
from orchestrator.study import Study, check
from orchestrator.study.settings import with_settings
from orchestrator.study.study import MOST_TRIALS

SPACE = {f"k{place}": Knob(0.5, Float(0.0, 1.0)) for place in range(40)} | {
    "n": Knob(1, Int(1, 10**6)),
    "c": Knob("a", Choice("a", "b")),
}
TWO = {f"k{place}": (0.1, 0.9) for place in range(40)}
STUDY = Study(question="q", datasets=("digits",), design=one_factor("m", {"n": [2, 3]}), seeds=2, name="asked")

LARGE = {
    "grid": grid("m", {f"k{place}": [0.1, 0.5, 0.9] for place in range(30)}),
    "factorial": factorial("m", TWO),
    "fraction": fractional_factorial("m", TWO, {"k39": ("k0", "k1", "k2")}),
    "search": search("m", ("k0",), n_configurations=100_000, n_seeds=100_000),
    "around": around(search("m", ("k0",), n_configurations=90_000), factorial("m", {"c": ("a", "b")})),
    "morris": morris("m", tuple(TWO), n_trajectories=10_000),
    "sobol": sobol("m", tuple(TWO), n_base=2**16),
}


@pytest.mark.parametrize("kind", LARGE)
def test_a_design_that_nobody_could_plan_is_refused_without_making_its_arms(kind):
    with pytest.raises(RequestError, match=r"(trials|arms) are too many to plan") as caught:
        check(replace(STUDY, design=LARGE[kind]))
    assert "study asked" in str(caught.value)


def test_seeds_and_datasets_count_too():
    check(replace(STUDY, seeds=MOST_TRIALS // 3))
    with pytest.raises(
        RequestError, match=r"120,003 trials are too many to plan \(3 arms on 40,001 seeds, 1 datasets\)"
    ):
        check(replace(STUDY, seeds=40_001))
    with pytest.raises(RequestError, match="too many to plan"):
        check(replace(STUDY, datasets=tuple(map(str, range(1000))), seeds=100))
    with pytest.raises(RequestError, match="seeds is a whole number of at most 9 digits"):
        with_settings(STUDY, ["seeds=1000000000000"])


@pytest.mark.parametrize(
    "design",
    [
        one_factor("m", {"n": [2, 3], "c": ["b"]}),
        grid("m", {"n": [2, 3, 4], "c": ["a", "b"]}),
        factorial("m", {"n": (2, 3), "c": ("a", "b"), "k0": (0.1, 0.2)}),
        fractional_factorial("m", {"n": (2, 3), "c": ("a", "b"), "k0": (0.1, 0.2)}, {"k0": ("n", "c")}),
        leave_one_out("m", {"p": Component({"n": 2}, {"n": 1}), "q": Component({"c": "b"}, {"c": "a"})}),
        morris("m", ("k0", "k1", "n"), n_trajectories=4),
        sobol("m", ("k0", "k1", "n"), n_base=4),
    ],
    ids=lambda design: design.kind,
)
def test_the_count_is_what_the_design_makes_or_a_little_more(design):
    made = len(design.arms(SPACE, {}))
    assert made <= design.most_arms <= 1.5 * made
