import numpy as np
import pytest

from analysis.data import study_view
from analysis.tables.search_table import search_table


@pytest.fixture(scope="module")
def study(synthetic):
    return study_view.load(synthetic.results, synthetic.name)


def test_a_configuration_has_what_its_seeds_said(study):
    search = study.record["searches"][0]
    table, rows = search_table(study, search), study_view.search_rows(study, search)
    assert table.index.tolist() == [entry["number"] for entry in search["history"]]
    for number, own in rows.groupby("configuration"):
        assert table.loc[number, "objective"] == pytest.approx(own["metric.neighbour_mi"].mean())
        assert table.loc[number, "collapsed"] == own["collapsed"].mean()
    assert table["chosen"].sum() == 1 and table.index[table["chosen"]][0] == search["chosen_number"]


def test_intervals_hold_the_mean(study):
    table = search_table(study, study.record["searches"][0])
    assert np.all(table["low"] <= table["objective"]) and np.all(table["objective"] <= table["high"])
