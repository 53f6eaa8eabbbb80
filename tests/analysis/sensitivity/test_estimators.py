from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from SALib.analyze import morris as salib_morris
from SALib.sample import morris as morris_sample
from SALib.sample import sobol as sobol_sample
from scipy import stats

from analysis.sensitivity import estimators, screening
from analysis.sensitivity.distributions import distribution
from orchestrator.errors import RequestError

NAMES = ["a", "b", "c"]
PROBLEM = {"num_vars": 3, "names": NAMES, "bounds": [[0.0, 1.0]] * 3}


@pytest.fixture(scope="module")
def searched():
    random = np.random.default_rng(0)
    knobs = pd.DataFrame({
        "strong": 10 ** random.uniform(-3, 0, 120), "idle": random.uniform(0, 1, 120),
        "option": random.choice(["x", "y"], 120), "constant": 3,
    })  # fmt: skip
    return knobs, -((np.log10(knobs["strong"].to_numpy()) + 1.5) ** 2) + 0.05 * random.normal(size=120)


def test_ped_anova_finds_the_knob_that_matters_with_an_interval_around_it(searched):
    table = estimators.ped_anova(*searched, n_bootstrap=30)
    assert table.index[0] == "strong" and "constant" not in table.index
    assert table["importance"].sum() == pytest.approx(1.0)
    assert (table["low"] <= table["importance"]).all() and (table["importance"] <= table["high"]).all()
    assert table.loc["strong", "low"] > table.loc["idle", "high"]


def test_ped_anova_repeats_to_the_bit(searched):
    pd.testing.assert_frame_equal(
        estimators.ped_anova(*searched, n_bootstrap=5), estimators.ped_anova(*searched, n_bootstrap=5)
    )


def test_ped_anova_of_the_whole_sample_is_optunas(searched):
    import optuna

    knobs, objective = searched
    names = ["strong", "idle", "option"]
    kinds = {name: distribution([v for v in knobs[name]]) for name in names}
    study = optuna.create_study(direction="maximize")
    for place, value in enumerate(objective):
        params = {name: knobs[name].iloc[place] for name in names}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=kinds, value=float(value)))
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.1)
    expected = pd.Series(optuna.importance.get_param_importances(study, evaluator=evaluator))
    found = estimators.ped_anova(knobs, objective, n_bootstrap=0)["importance"]
    assert found[names].to_numpy() == pytest.approx(expected[names].to_numpy())


def test_fanova_agrees_on_the_first_knob(searched):
    assert estimators.fanova(*searched).index[0] == "strong"


def test_configurations_without_an_objective_are_left_out(searched):
    knobs, objective = searched
    objective = objective.copy()
    objective[9:] = np.nan
    with pytest.raises(RequestError, match="there are 9"):
        estimators.ped_anova(knobs, objective)


def test_morris_of_a_linear_function_is_its_slopes():
    sample = morris_sample.sample(PROBLEM, 6, num_levels=4, seed=0)
    values = np.stack([sample @ [3.0, -1.0, 0.0]] * 3)
    places = np.column_stack([pd.factorize(column, sort=True)[0] for column in sample.T]).astype(float)
    table = estimators.morris(places, values, NAMES)
    assert table.loc[NAMES, "mu_star"].to_numpy() == pytest.approx([3.0, 1.0, 0.0], abs=1e-9)
    assert table.loc[NAMES, "sigma"].to_numpy() == pytest.approx([0.0] * 3, abs=1e-9)
    assert screening.kind_of(places) == "morris"


def test_morris_agrees_with_salib_on_the_sample_itself():
    sample = morris_sample.sample(PROBLEM, 6, num_levels=4, seed=1)
    values = np.sin(3 * sample[:, 0]) + sample[:, 1] * sample[:, 2]
    expected = salib_morris.analyze(PROBLEM, sample, values, num_levels=4, num_resamples=2, seed=0)
    places = np.column_stack([pd.factorize(column, sort=True)[0] for column in sample.T]).astype(float)
    found = estimators.morris(places, values[None], NAMES)
    assert found.loc[NAMES, "mu_star"].to_numpy() == pytest.approx(np.asarray(expected["mu_star"]))


def test_sobol_of_an_additive_function_shares_its_variance():
    sample = sobol_sample.sample(PROBLEM, 256, calc_second_order=False, seed=0)
    table = estimators.sobol((sample @ [2.0, 1.0, 0.0])[None], NAMES)
    assert table.loc[NAMES, "ST"].to_numpy() == pytest.approx([0.8, 0.2, 0.0], abs=0.05)
    assert estimators.sobol((sample @ [2.0, 1.0, 0.0])[None], NAMES).equals(table)  # intervals too
    assert screening.kind_of(np.argsort(np.argsort(sample, axis=0), axis=0).astype(float)) == "sobol"


def test_a_constant_metric_has_no_indices():
    with pytest.raises(RequestError, match="constant"):
        estimators.sobol(np.ones((2, 40)), NAMES)


def test_a_seed_with_a_missing_point_is_left_out_of_the_indices():
    sample = morris_sample.sample(PROBLEM, 4, num_levels=4, seed=0)
    values = np.stack([sample @ [1.0, 1.0, 1.0]] * 3)
    values[1, 0] = np.nan
    assert np.isfinite(estimators.morris(sample, values, NAMES)["mu_star"]).all()


def test_curves_have_a_t_interval_in_every_bin():
    x, y = np.arange(12.0), np.r_[np.zeros(6), np.ones(6)] + np.tile([0.0, 0.1, 0.2], 4)
    table = estimators.curve(x, y, 4)
    assert table["mean"].to_numpy() == pytest.approx([0.1, 0.1, 1.1, 1.1])
    assert table["high"].iloc[0] - 0.1 == pytest.approx(stats.t.ppf(0.975, 2) * 0.1 / np.sqrt(3))
