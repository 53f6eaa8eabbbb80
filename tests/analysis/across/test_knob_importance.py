"""Importances of knobs on one scale, and contrasts of thirds."""

import numpy as np
import pytest
from scipy import stats
from searched_studies import searched

from analysis.across import knob_importance


@pytest.fixture(scope="module")
def both():
    return [searched(), searched("search_secu", "secu", weights=(0.0, 0.2, 0.1), seed=1)]


def test_the_knob_that_moves_the_metric_is_important_whatever_the_method(both):
    table = knob_importance.importances(both, 30).set_index("knob")
    assert table.loc["pipcdr.neighbour_noise", "importance"] > 1 > table.loc["pipcdr.kmeans_every", "importance"]
    assert table.loc["secu.lower_bound", "importance"] > table.loc["secu.dual_lr", "importance"]
    shares = table.groupby("method")["importance"].mean()
    assert shares.to_numpy() == pytest.approx([1.0, 1.0])  # 1 is the average knob of a search
    assert list(table["word"]) == ["sigma", "k-means frequency", "dual learning rate", "lower-bound ratio", "", ""]


def test_thirds_say_how_much_and_in_which_direction_with_an_interval_that_holds_the_truth(both):
    table = knob_importance.importances(both, 5).set_index("knob")
    row = table.loc["pipcdr.neighbour_noise"]
    assert row["rise_low"] < 0.3 * 2 / 3 < row["rise_high"]
    assert abs(row["bend"]) < row["rise"] / 4
    x = np.linspace(0, 1, 60)
    bent = knob_importance.thirds(x, (x - 0.5) ** 2 * -1.0)
    assert bent["bend"] > 0.1
    assert abs(bent["rise"]) < 1e-9


def test_the_contrast_of_two_thirds_is_welchs():
    random = np.random.default_rng(3)
    x, y = np.arange(30.0), random.standard_normal(30)
    found = knob_importance.thirds(x, y)
    interval = stats.ttest_ind(y[20:], y[:10], equal_var=False).confidence_interval()
    assert [found["rise_low"], found["rise_high"]] == pytest.approx([interval.low, interval.high])


def test_the_same_search_under_two_names_counts_once(both):
    twice = [both[0], searched("which_method_at_equal_tuning"), both[1]]
    assert len(list(knob_importance.distinct_searches(twice))) == 2


def test_a_small_search_and_knobs_that_nobody_searched_are_said(both):
    assert knob_importance.importances([searched(n=10)], 5).empty
    assert knob_importance.importance_section([searched(n=10)], 5) is None
    section = knob_importance.importance_section(both, 5)
    assert "pipcdr.neighbour_noise (sigma, on digits)" in section.sentence or "secu.lower_bound" in section.sentence
    assert "Not searched: pipcdr.queue_ratio, entropy.fairness_weight" in section.sentence
    assert section.table.count("<tr>") == 7
    assert len(section.drawings) == 1
