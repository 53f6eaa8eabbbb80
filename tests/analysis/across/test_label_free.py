"""The price of choosing a configuration by rules that read no label."""

import numpy as np
import pytest
from searched_studies import searched

from analysis.across import label_free


@pytest.fixture(scope="module")
def both():
    return [searched(), searched("search_secu", "secu", weights=(0.0, 0.2, 0.1), seed=1)]


def test_the_rule_that_follows_the_metric_costs_nothing_and_the_one_against_it_costs_most(both):
    table = label_free.rule_costs(both).set_index(["study", "rule"])
    for study in ("search_pipcdr", "search_secu"):
        assert abs(table.loc[(study, "neighbour_mi"), "cost"]) < 0.02
        assert table.loc[(study, "neighbour_mi"), "agreement"] == pytest.approx(1.0)
        assert table.loc[(study, "silhouette"), "cost"] > 0.15
        assert table.loc[(study, "silhouette"), "agreement"] == pytest.approx(-1.0)
    section = label_free.label_free_section(both)
    assert "Cheapest on average over 2 searches is neighbour MI" in section.sentence
    assert "Not measured here: preservation, between-seed MI, rank sum" in section.sentence


def test_no_rule_may_choose_a_collapsed_configuration():
    study = searched()
    search = study.record["searches"][0]
    best = int(np.argmax([entry["objective"][0] for entry in search["history"]]))
    study.rows.loc[study.rows["arm"] == f"pipcdr #{best}", "collapsed"] = True
    assert (label_free.rule_costs([study])["chosen"] != best).all()
