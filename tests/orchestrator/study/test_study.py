"""A study's fields: each takes what it is for, in one form, and anything else is one line with field and value."""

import re
from dataclasses import replace

import numpy as np
import pytest

from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.errors import RequestError
from orchestrator.study import Study, Tier, UntilDecided, check, load, until_decided

DESIGN = one_factor("kmeans", {"n_init": [1]})
STUDY = Study(question="q", datasets=("digits",), design=DESIGN, margin=0.02, name="asked")

WRONG = {
    "question": [None, "", "  ", 3, b"q", "\ud800", "a\x00b", ["q"]],
    "design": [None, "one_factor", one_factor, {}, 3, [DESIGN]],
    "datasets": ["digits", -1, None, (), [], ("digits", "digits"), (3,), ("",), {"digits": 1}, 3.5],
    "rivals": [None, DESIGN, "kmeans", (None,), (DESIGN, 3), 0],
    "seeds": ["x", None, 0, -3, 2.5, True, 10**12, 10**100, np.nan, float("inf"), [10, 20], (10,)],
    "seeds_by_hand": ["x", 0, 2.5, True, 10**12],
    "n_epochs": [3.5, 0, -1, "10", True, 10**9, np.inf, [3], {}],
    "paper": [None, 2301.11405, b"x"],
    "protocol": [None, "half", 3, ("whole",)],
    "precision": [None, "half", 16],
    "metric": [None, "", 3, ("nmi",)],
    "alpha": [None, 0, 1, -0.1, "0.05", True, np.nan, [0.05], 1e400],
    "margin": [[], 0, -0.1, "0.02", float("inf"), float("nan"), True, (0.02,)],
    "beats_chance_by": [None, -0.1, float("inf"), "x", True, []],
    "exploratory": [None, 1, "yes", 0.0, []],
    "failure_budget": [None, -0.1, 1.1, "x", True, float("nan")],
    "tiers": [None, {"paper": None}, {"pa/per": Tier(datasets=("digits",))}, [Tier(datasets=("digits",))], {3: None}],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_field_that_holds_what_it_may_not_is_one_line(name, value):
    with pytest.raises(RequestError) as caught:
        replace(STUDY, **{name: value})
    line = str(caught.value)
    assert line.isprintable()
    assert "study asked" in line
    assert name in line
    assert len(line) < 400


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("datasets", ["digits", "mnist_5k"], ("digits", "mnist_5k")),
        ("rivals", [DESIGN], (DESIGN,)),
        ("seeds", np.int64(12), 12),
        ("seeds", 12.0, 12),
        ("n_epochs", np.int32(3), 3),
        ("alpha", np.float32(0.1), 0.1),
        ("margin", 1, 1.0),
        ("exploratory", np.bool_(True), True),
    ],
)
def test_a_value_of_another_type_that_means_the_same_is_kept_in_one_form(name, value, kept):
    found = getattr(replace(STUDY, **{name: value}), name)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize("looks", [(), (1, 2), (10, 10), (20, 10), "10", None, (2.5,), (10, 10**9), 10, (True, 2)])
def test_looks_that_do_not_grow_or_are_no_numbers_are_one_line(looks):
    for make in (until_decided, UntilDecided):
        with pytest.raises(RequestError, match=r"until_decided: looks.*2 to 100,000"):
            make(looks)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("datasets", None),
        ("n_epochs", 2.5),
        ("search_epochs", 0),
        ("seeds", "x"),
        ("protocol", "half"),
        ("base", {"secu": 3}),
        ("base", {"secu": {"lr": {}}}),
        ("base", {3: {}}),
        ("epoch_seconds", {"secu": -1}),
        ("epoch_seconds", {"secu": "fast"}),
    ],
)
def test_a_tiers_field_is_checked_where_the_tier_is_made(name, value):
    with pytest.raises(RequestError, match="Tier"):
        Tier(**{"datasets": ("digits",), name: value})


def test_seeds_of_one_are_for_searches_alone():
    check(replace(STUDY, design=search("kmeans", ("n_init",)), seeds=1))
    with pytest.raises(RequestError, match="seeds = 1; paired tests need at least 2"):
        check(replace(STUDY, seeds=1))
    with pytest.raises(RequestError, match=r"tiers\['local'\] is not allowed"):
        check(replace(STUDY, tiers={"local": Tier(datasets=("digits",))}))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("STUDY = Study(**B, margin=[])", r"study file '.*asked.py': Study: margin = \[\] is not allowed"),
        ("STUDY = Study(**B, design=None)", "multiple values for keyword argument 'design'"),
        ("STUDY = search('entropy', {'view_strength': Float(0, 2, log=True)})", "a logarithmic range begins above 0"),
        (
            "STUDY = fixed('entropy', {'network': 'mlp'})",
            r"values are given by name: fixed\('entropy', network='mlp'\)",
        ),
        ("STUDY = one_factor('kmeans', {'n_init': .1})", r"factors\['n_init'\] = 0.1 is not allowed; it is label ->"),
        ("raise SystemExit(3)", "does not import: SystemExit: 3"),
        ("def f(", "does not import: SyntaxError"),
        ("STUDY = 3", "defines no STUDY"),
    ],
)
def test_a_file_is_refused_in_one_line_that_names_it(tmp_path, text, says):
    head = (
        "from orchestrator.designs.fixed import fixed\nfrom orchestrator.designs.one_factor import one_factor\n"
        "from orchestrator.designs.search import search\nfrom orchestrator.knobs import Float\n"
        "from orchestrator.study import Study\nB = dict(question='q', datasets=('digits',), design=fixed('kmeans'))\n"
    )
    path = tmp_path / "asked.py"
    path.write_text(head + text)
    with pytest.raises(RequestError, match=says) as caught:
        load(str(path))
    assert "asked.py" in str(caught.value)


def test_a_file_whose_name_cannot_be_a_folders_is_refused(tmp_path):
    path = tmp_path / "my study.py"
    path.write_text("from orchestrator.designs.fixed import fixed\nfrom orchestrator.study import Study\n"
                    "STUDY = Study(question='q', datasets=('digits',), design=fixed('kmeans'))\n")  # fmt: skip
    with pytest.raises(RequestError, match=re.escape("its name = 'my study' is not allowed; it is a name of letters")):
        load(str(path))
