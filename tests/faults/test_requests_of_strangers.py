"""Requests that public trackers tell of, tried here: each is refused in one line, or does what it says.

The number in a name is the report that made us try: `katib_2276` is issue 2276 of katib.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from strangers import METHOD, Stranger

from orchestrator.dataset_name import loaded_as
from orchestrator.ledger import Ledger

# -- plan accepts what run cannot do --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("design", "says"),
    [
        (
            'search("entropy", {"view_strength": Float(0, 2, log=True)}, base={"view": "affine"})',
            "Float(0, 2, log=True) is not allowed; a logarithmic range begins above 0",
        ),
        ('search("entropy", {"lr": Float(1.0, 0.1)})', "Float(1.0, 0.1) is not allowed; low is above high"),
        ('search("kmeans", {"n_init": Float(1, 10)})', "the range of kmeans.n_init is a number from 1 to 10, but"),
        ('fixed("entropy", {"network": "mlp"})', "name = {'network': 'mlp'} is not allowed"),
        ('one_factor("kmeans", {"n_init": .1})', "factors['n_init'] = 0.1 is not allowed"),
        ("around(None, None)", "around: first = None is not allowed"),
        (
            "grid('kmeans', {'n_init': [1, 2]}, base={'n_init': 3})",
            "kmeans.n_init = 3 is set, and varied by the design",
        ),
        ("factorial('kmeans', {'n_init': (1, 2)}, base={'n_init': 3})", "kmeans.n_init = 3 is set, and varied by"),
        ("search('kmeans', ('n_init',), rule=('neighbour_mi', 'neighbour_mi'))", "look at one metric; name it once"),
    ],
)
def test_a_design_that_no_run_could_carry_out_is_refused_katib_2276(stranger: Stranger, design: str, says: str) -> None:
    assert says in stranger.refused(stranger.asks(f"STUDY = Study(**B, design={design})"))


@pytest.mark.parametrize(
    "field",
    [
        "seeds='x'",
        "alpha=None",
        "margin=[]",
        "datasets=-1",
        "margin=float('inf')",
        "beats_chance_by=float('inf')",
        "n_epochs=3.5",
        "design=None",
        "margin=5",
    ],
)
def test_a_field_of_a_study_is_refused_with_its_value(stranger: Stranger, field: str) -> None:
    study = f"STUDY = Study(**{{**B, 'design': one_factor('kmeans', {{'n_init': [1]}}), **dict({field})}})"
    line = stranger.refused(stranger.asks(study))
    assert field.partition("=")[0] in line


@pytest.mark.parametrize(
    "data", ["digits", "gaussians:subset=40", "watch:form=nosuch", "image_folder:side=0", "cifar10:subsets=9"]
)
def test_a_plan_refuses_a_protocol_or_an_option_that_data_can_never_have(stranger: Stranger, data: str) -> None:
    study = f"STUDY = Study(**{{**B, 'datasets': ({data!r},), 'protocol': 'split'}}, design=fixed('kmeans'))"
    line = stranger.refused(stranger.asks(study))
    assert "no test part; protocol 'whole' is the one" in line or "allowed: " in line or "subsets" in line


@pytest.mark.parametrize("size", ["seeds=10**12", "design=search('kmeans', ('n_init',), n_configurations=10**12)"])
def test_a_study_that_is_too_large_is_refused_at_once(stranger: Stranger, size: str) -> None:
    study = f"STUDY = Study(**{{**B, 'design': one_factor('kmeans', {{'n_init': [1]}}), **dict({size})}})"
    assert "is not allowed; it is a whole number from 1 to 100,000" in stranger.refused(stranger.asks(study))


def test_a_bool_of_numpy_is_a_bool_optuna_3540(stranger: Stranger) -> None:
    study = stranger.asks("STUDY = Study(**B, design=one_factor('kmeans', {'spherical': [np.bool_(True)]}))")
    assert [arm["name"] for arm in stranger.plans(study)["arms"]] == ["baseline", "spherical=True"]


def test_a_setting_of_what_a_grid_varies_is_refused_and_not_dropped(stranger: Stranger) -> None:
    study = stranger.asks("STUDY = Study(**B, design=grid('kmeans', {'n_init': [1, 2]}))")
    assert "kmeans.n_init = 5 is set, and varied by the design too" in stranger.refused(study, "--set", "n_init=5")


def test_a_plan_says_which_study_has_to_be_run_before(stranger: Stranger) -> None:
    study = stranger.asks("STUDY = Study(**B, design=around('earlier', one_factor('kmeans', {'n_init': [1]})))")
    told = stranger.plans(study)["sentences"]
    assert any("goes on from what the search of 'earlier' chose, which is not in" in sentence for sentence in told)
    status, _, err = stranger.runs(study)
    assert (status, "unknown study in this results folder 'earlier'" in err) == (2, True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--set", "seed=3"), "unknown knob or setting 'seed'; the nearest: seeds"),
        (("--set", "n_inits=3"), "the nearest: n_init"),
        (("--tier", "papers"), "unknown tier of study asked 'papers'"),
    ],
)
def test_an_error_offers_what_works(stranger: Stranger, options: tuple[str, ...], says: str) -> None:
    study = stranger.asks("STUDY = Study(**B, design=one_factor('kmeans', {'spherical': [True]}))")
    assert says in stranger.refused(study, *options)


def test_a_rule_that_is_offered_works(stranger: Stranger) -> None:
    study = "STUDY = Study(**B, design=search('kmeans', ('n_init',), rule={rule!r}, n_configurations=1, n_seeds=1))"
    line = stranger.refused(stranger.asks(study.format(rule="luck")))
    for rule in line.partition("there are: ")[2].partition(";")[0].split(", "):
        assert stranger.plans(stranger.asks(study.format(rule=rule)))["trials"] == 1


def test_the_nearest_study_is_named_and_not_forty(stranger: Stranger) -> None:
    status, _, err = stranger.says("run", "quickstar")
    assert (status, err) == (2, "orchestrate: unknown study 'quickstar'; the nearest: quickstart\n")


def test_a_plan_says_what_a_search_has_still_to_choose(stranger: Stranger) -> None:
    plan = stranger.plans(Path("quickstart"))
    assert plan["arms"][0]["sets"] == "chosen by the search"
    assert plan["arms"][0]["chosen_by_search"] == ["fairness_weight", "norm_weight", "lr"]
    assert not [arm for arm in plan["arms"] if "71.46" in arm["sets"]]


# -- what cannot be asked -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", ["grid", "factorial"])
def test_cells_that_mean_the_same_are_trained_once_optuna_6212(stranger: Stranger, design: str) -> None:
    study = stranger.asks(
        f"STUDY = Study(**B, design={design}('entropy', {{'fairness': ['kl_u_y', 'none'], "
        "'fairness_weight': [10., 100.]}))"
    )
    plan = stranger.plans(study)
    assert [arm["also"] for arm in plan["arms"]] == [[], [], ["fairness=none, fairness_weight=100"]]
    assert any("since they mean the same" in sentence for sentence in plan["sentences"])
    assert stranger.runs(study)[0] == 0
    assert len(stranger.rows()) == 18


def test_a_metric_may_be_no_number_until_the_last_epoch_katib_1343(stranger: Stranger) -> None:
    stranger.writes("methods/own.py", METHOD)
    study = stranger.asks("STUDY = Study(**B, design=one_factor('own', {'rate': [0.25]}))")
    assert stranger.runs(study)[0] == 0
    rows = stranger.rows()
    assert set(rows["state"]) == {"complete"}
    assert set(rows["metric.late"]) == {1.0}


def test_steps_lists_and_none_are_values_optuna_3820_905(stranger: Stranger) -> None:
    stranger.writes("methods/own.py", METHOD)
    levels = "{'rate': [0.75], 'widths': [[8, 4], (16,)], 'decay': [0.5]}"
    study = stranger.asks(f"STUDY = Study(**B, design=one_factor('own', {levels}))")
    names = ["baseline", "rate=0.75", "widths=[8, 4]", "widths=[16]", "decay=0.5"]
    assert [arm["name"] for arm in stranger.plans(study)["arms"]] == names
    assert stranger.runs(study)[0] == 0
    assert stranger.plans(study)["missing"] == 0
    rows = stranger.rows()
    assert set(rows["knob.widths"]) == {"[8]", "[8,4]", "[16]"}
    assert "own.rate = 0.3 is outside its domain: a number from 0 to 1 in steps of 0.25" in stranger.refused(
        study, "--set", "rate=0.3"
    )
    assert stranger.plans(study, "--set", "own.widths=[3, 2]", "--set", "own.decay=null")["trials"] == 5 * 6


def test_a_search_that_finds_nothing_ends_in_one_line_and_its_trials_stay_visible(stranger: Stranger) -> None:
    stranger.writes("methods/own.py", METHOD.replace("% self.data.n_classes", "* 0"))  # one cluster: collapsed
    searched = "search('own', ('rate',), n_configurations=3, n_seeds=1, round_size=1, sampler='random')"
    study = stranger.asks(f"STUDY = Study(**B, design=around({searched}, one_factor('own', {{'decay': [0.5]}})))")
    status, _, err = stranger.runs(study)
    assert status == 2
    assert err.count("orchestrate: ") == 1
    assert "found no configuration that neither failed nor collapsed" in err
    _, out, _ = stranger.says("status", "--json", "--results", stranger.results)
    (line,) = json.loads(out)
    assert (line["trials"], line["collapsed"]) == (len(stranger.rows()), len(stranger.rows()))


def test_a_trial_may_end_at_a_plateau_ray_38421(stranger: Stranger) -> None:
    stranger.writes("methods/own.py", METHOD)
    text = "STUDY = Study(**{{**B, 'n_epochs': 9}}, {stop} design=one_factor('own', {{'rate': [0.25]}}))"
    whole, early = (stranger.asks(text.format(stop=stop)) for stop in ("", "stop=Plateau(patience=2),"))
    assert stranger.runs(early)[0] == 0
    rows = stranger.rows()
    assert set(rows["state"]) == {"complete"}
    with Ledger(stranger.results) as ledger:
        assert ledger.epochs()["epoch"].max() == 5
    assert stranger.plans(early)["missing"] == 0
    stranger.asks(text.format(stop=""))
    assert stranger.plans(whole)["missing"] == 12
    for metric, says in (
        ("nmi", "which reads labels"),
        ("nmmi", "unknown metric of the plateau"),
        ("silhouette", "which is measured at the last epoch only; there are: collapsed, loss, neighbour_mi"),
    ):
        asked = stranger.asks(text.format(stop=f"stop=Plateau(metric={metric!r}),"))
        assert says in stranger.refused(asked)


def test_a_trial_over_its_time_has_failed_and_is_no_other_trial_ray_47475(stranger: Stranger) -> None:
    stranger.writes("methods/own.py", METHOD)
    study = stranger.asks(
        "STUDY = Study(**B, failure_budget=1.0, design=one_factor('own', {'nap': [30.0]}, base={'decay': 0.5}))"
    )
    stranger.runs(study, "--trial-seconds", "0.3", "--set", "seeds=2")
    rows = stranger.rows()
    assert sorted(rows["state"]) == ["complete", "complete", "failed", "failed"]
    assert set(rows.loc[rows["state"] == "failed", "failure_kind"]) == {"time_limit"}
    assert stranger.plans(study, "--set", "seeds=2")["hits"] == 2


def test_a_metric_that_no_method_gives_is_refused_before_anything_is_trained_nequip_213(stranger: Stranger) -> None:
    stranger.writes("methods/own.py", METHOD)
    text = "STUDY = Study(**{{**B, 'margin': 0.01}}, metric={metric!r}, design=one_factor({method!r}, {{{knob}}}))"
    wrong = stranger.asks(text.format(metric="nmmi", method="kmeans", knob="'n_init': [1]"))
    line = stranger.refused(wrong)
    assert "unknown metric of study asked 'nmmi'; the nearest: nmi" in line
    own = stranger.asks(text.format(metric="late", method="own", knob="'rate': [0.25]"))
    assert stranger.plans(own)["trials"] == 12
    assert "unknown metric" in stranger.refused(
        stranger.asks(text.format(metric="later", method="own", knob="'rate': [0.25]"))
    )


def test_a_metric_that_training_does_not_give_ends_the_run_after_its_first_bundle_nequip_213(
    stranger: Stranger,
) -> None:
    few = "return row | ({'metric.seldom': 1.0} if len(self.data.eval_labels) < 40 else {}) | {"
    stranger.writes("methods/own.py", METHOD.replace("return row | {", few))  # there on the few points of a rehearsal
    text = "STUDY = Study(**{**B, 'n_epochs': 1}, metric='seldom', design=one_factor('own', {'rate': [0.25]}))"
    status, _, err = stranger.runs(stranger.asks(text))
    assert status == 2
    assert "the study cannot be answered: trials of own have no metric 'seldom'; they have: acc, ami" in err
    assert len(stranger.rows()) < 12


@pytest.mark.parametrize(
    ("design", "says"),
    [
        ("one_factor('kmeans', {'cluster_factor': [4.0]})", "40 clusters, allowed: at most the 30 points"),
        ("one_factor('entropy', {'network': ['cnn']})", "network cnn takes images"),
        ("search('entropy', ('lr',), sampler='nsga2', round_size=1, n_configurations=3, n_seeds=1)", "cannot be asked"),
    ],
)
def test_what_this_data_or_this_sampler_cannot_carry_is_refused_by_the_plan(
    stranger: Stranger, design: str, says: str
) -> None:
    data = "gaussians" if "cnn" in design else "digits:subset=30"
    study = stranger.asks(f"STUDY = Study(**{{**B, 'datasets': ({data!r},)}}, design={design})")
    assert says in stranger.refused(study)


def test_a_metric_that_compares_classes_is_refused_where_there_is_one_class_vision_2218(stranger: Stranger) -> None:
    (stranger.folder / "y.csv").write_text("class\n" + "cat\n" * 40)
    np.save(stranger.folder / "x.npy", np.random.default_rng(0).normal(size=(40, 3)))
    text = "STUDY = Study(**{{**B, 'datasets': ({data!r},)}}, {more} design=one_factor('kmeans', {{'n_init': [1]}}))"
    cats = f"{stranger.folder / 'x.npy'}:labels={stranger.folder / 'y.csv'}"
    assert "has one class, and nmi compares classes" in stranger.refused(stranger.asks(text.format(data=cats, more="")))
    unlabelled = f"{stranger.folder / 'x.npy'}:clusters=2"
    study = stranger.asks(text.format(data=unlabelled, more="metric='neighbour_mi',"))
    assert stranger.plans(study)["trials"] == 12


@pytest.mark.parametrize(
    "named", ["mnist.npy:labels=y.npy", "x.npy:labels=y.npy,name=digits", "digits:subset=50,name=mnist"]
)
def test_no_file_passes_for_a_dataset_that_papers_report_on(
    stranger: Stranger, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stranger.folder)
    for name in ("mnist", "x"):
        np.save(f"{name}.npy", np.random.default_rng(0).normal(size=(40, 3)))
    np.save("y.npy", np.arange(40) % 2)
    text = "STUDY = Study(**{{**B, 'datasets': ({data!r},)}}, design=one_factor('kmeans', {{'n_init': [1]}}))"
    line = stranger.refused(stranger.asks(text.format(data=named)))
    assert "as another dataset is; give it a name of its own: name=my_" in line
    assert loaded_as("digits") == "digits" and loaded_as("mnist") == "mnist", "what a session asks for next is itself"
    mine = stranger.asks(text.format(data=f"{named.replace(',name=mnist', '').replace(',name=digits', '')},name=mine"))
    assert stranger.plans(mine)["trials"] == 12


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.parametrize("kind", ["search", "morris", "grid"])
def test_knobs_of_every_kind_are_designed_searched_and_reported(stranger: Stranger, kind: str) -> None:
    stranger.writes("methods/own.py", METHOD)
    over = "{'widths': Choice((8,), (64, 8)), 'rate': None, 'decay': Choice(None, 0.5), 'nap': Float(0.0, 1e-6)}"
    around = "one_factor('own', {'widths': [(4,), [2, 2]], 'decay': [0.25]})"
    designs = {
        "search": f"around(search('own', {over}, n_configurations=12, n_seeds=1, round_size=6), {around})",
        "morris": f"morris('own', {over}, n_trajectories=4)",
        "grid": "grid('own', {'widths': [(4,), (16, 4)], 'decay': [None, 0.1]})",
    }
    study = stranger.asks(f"STUDY = Study(**B, design={designs[kind]})")
    assert stranger.runs(study)[0] == 0
    status, out, err = stranger.says("report", "asked", "--results", stranger.results, "--no-notebook", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["heading"]
