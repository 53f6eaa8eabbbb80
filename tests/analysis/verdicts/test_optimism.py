from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest

from analysis.data import study_view
from analysis.verdicts import optimism
from orchestrator.inference.optimism import crossed_gain


@pytest.fixture(scope="module")
def study(synthetic):
    return study_view.load(synthetic.results, synthetic.name)


def curves(table):
    """(arm, seed) -> values, epoch by epoch, as the rows of an epochs table."""
    return pd.DataFrame(
        [{"trial_id": f"{arm}{seed}", "arm": arm, "seed": seed, "epoch": place, "metric.nmi": value}
         for (arm, seed), values in table.items() for place, value in enumerate(values)]
    )  # fmt: skip


def of_epochs(study, epochs):
    (found,) = [one for one in optimism.optimism(study, epochs) if one.about == "epochs"]
    return found


def test_an_epoch_that_is_best_on_every_seed_is_more_than_noise(study):
    found = of_epochs(study, curves({("a", seed): [0.5, 0.7, 0.6] for seed in range(4)}))
    assert found.gain == pytest.approx(0.1)
    assert "lies 10.0 points of NMI above its last one" in found.sentence
    assert "adds +10.0 points on the other half" in found.sentence and "4 trials" in found.sentence


def test_epochs_that_are_best_by_turns_are_noise(study):
    table = {("a", seed): [0.5 + 0.1 * (place == seed) for place in range(5)] for seed in range(4)}
    found = of_epochs(study, curves(table))
    assert found.gain <= 0.0 and "lies 10.0 points" in found.sentence


def test_few_seeds_cannot_tell_a_peak_from_noise(study):
    found = of_epochs(study, curves({("a", seed): [0.5, 0.7, 0.6] for seed in range(3)}))
    assert np.isnan(found.gain) and "takes 4 seeds an arm" in found.sentence


def of_configurations(study):
    return [one for one in optimism.optimism(study, pd.DataFrame()) if one.about == "configurations"]


def test_configurations_are_chosen_on_one_half_of_the_search_seeds_and_judged_on_the_other(study):
    search = study.record["searches"][0]
    rows = study_view.search_rows(study, search)
    tables = {
        metric: rows.pivot_table(index="configuration", columns="seed", values=f"metric.{metric}").to_numpy()
        for metric in ("nmi", "neighbour_mi")
    }
    gone = rows.pivot_table(index="configuration", columns="seed", values="collapsed").to_numpy() > 0
    (found,) = of_configurations(study)
    assert found.gain == pytest.approx(crossed_gain(tables["nmi"], tables["neighbour_mi"], ~gone).gain)
    assert "half of the 4 search seeds" in found.sentence and "of 6 splits" in found.sentence


def test_below_four_search_seeds_no_number_is_printed(study):
    rows = study.rows[(study.rows["phase"] != "search") | (study.rows["seed"] < 2)]
    (found,) = of_configurations(study_view.StudyView("s", study.results, study.record, rows))
    assert np.isnan(found.gain) and "is not given" in found.sentence and "there are 2 search seeds" in found.sentence


def test_a_search_by_labels_has_no_oracle_beside_it(study):
    record = copy.deepcopy(dict(study.record))
    record["searches"][0]["rules"] = ["oracle_nmi"]
    assert of_configurations(study_view.StudyView("s", study.results, record, study.rows)) == []


@pytest.mark.parametrize("metric", ["loss", "neighbour_mi"])
def test_labels_would_have_added_nothing_to_a_metric_that_reads_none(study, metric):
    record = {**study.record, "metric": metric}
    rows = study.rows.assign(**{f"metric.{metric}": study.rows["metric.nmi"]})
    assert optimism.optimism(study_view.StudyView("s", study.results, record, rows), pd.DataFrame()) == []
