"""PED-ANOVA of many resamples at once gives Optuna's numbers for each of them, whatever the kind of knob."""

import warnings

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from analysis.sensitivity import parzen

KINDS = {
    "real": FloatDistribution(-1.0, 2.0),
    "decades": FloatDistribution(1e-4, 10.0, log=True),
    "steps": FloatDistribution(0.0, 1.0, step=0.25),
    "few": IntDistribution(1, 5),
    "many": IntDistribution(0, 300, step=3),
    "doubled": IntDistribution(1, 1024, log=True),
    "option": CategoricalDistribution(["a", "b", "c", "never"]),
    "switch": CategoricalDistribution([False, True]),
}


def configurations(n, random):
    table = pd.DataFrame(
        {
            "real": random.uniform(-1, 2, n),
            "decades": 10 ** random.uniform(-4, 1, n),
            "steps": 0.25 * random.integers(0, 5, n),
            "few": random.integers(1, 6, n),
            "many": 3 * random.integers(0, 101, n),
            "doubled": 2 ** random.integers(0, 11, n),
            "option": random.choice(["a", "b", "c"], n),
            "switch": random.choice([False, True], n),
        }
    ).astype({"switch": object})
    objective = table["real"] - (np.log10(table["decades"]) + 1) ** 2 + 0.5 * (table["option"] == "b")
    return table, np.round(objective.to_numpy(float) + 0.3 * random.normal(size=n), 1)  # ties at the cut too


def of_optuna(table, objective, drawn, best):
    study = optuna.create_study(direction="maximize")
    rows, values = table.to_dict("records"), objective.tolist()
    for place in drawn.tolist():
        made = optuna.trial.create_trial(params=rows[place], distributions=KINDS, value=values[place])
        study.add_trial(made)
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=best)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw = evaluator.evaluate(study, params=list(KINDS))
    return np.array([raw[name] for name in KINDS]) / sum(raw.values())


@pytest.mark.parametrize(("n", "best"), [(10, 0.6), (24, 0.25), (48, 0.125), (120, 0.1)])
def test_shares_of_every_resample_are_optunas(n, best):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    random = np.random.default_rng(n)
    table, objective = configurations(n, random)
    drawn = np.vstack([np.arange(n), random.integers(n, size=(6, n))])
    found = parzen.shares(table, KINDS, objective, drawn, best)
    for own, one in zip(found, drawn, strict=True):
        assert own == pytest.approx(of_optuna(table, objective, one, best), abs=1e-9)


def test_there_are_no_shares_where_all_configurations_are_the_best():
    table, _ = configurations(12, np.random.default_rng(0))
    found = parzen.shares(table, KINDS, np.ones(12), np.arange(12)[None], 0.5)
    assert np.isnan(found).all()
