"""Methods ranked over blocks of dataset and seed."""

import numpy as np
import views
from searched_studies import ARMS

from analysis.across import head_to_head


def ranked(gap=0.05, n=8):
    random = np.random.default_rng(0)
    values = {
        (arm, dataset): 0.5 + shift + 0.005 * random.standard_normal(n)
        for dataset in ("digits", "mnist_5k")
        for arm, shift in (("baseline", 0.0), ("secu", gap), ("pipcdr", 2 * gap), ("lr=1", 9.0))
    }
    return views.view_of_arms("heads", ARMS, values, datasets=("digits", "mnist_5k"))


def test_methods_are_ranked_over_blocks_and_levels_of_one_method_are_no_rivals():
    found = head_to_head.head_to_head(ranked())
    assert found.ranking.methods == ("pipcdr", "secu", "kmeans")
    assert found.ranking.mean_ranks == (1.0, 2.0, 3.0)
    assert found.ranking.n_datasets == 16
    (section,) = head_to_head.head_to_head_sections([ranked()])
    assert "pipcdr leads, apart from all others" in section.sentence
    assert "The arms differ" in section.sentence


def test_methods_that_are_alike_are_not_told_apart():
    (section,) = head_to_head.head_to_head_sections([ranked(gap=0.0, n=4)])
    assert "The arms are not told apart" in section.sentence
    assert "lead" not in section.sentence


def test_two_methods_make_no_ranking():
    two = {key: value for key, value in ARMS.items() if key != "pipcdr"}
    values = {("baseline", "digits"): [0.5, 0.6], ("secu", "digits"): [0.6, 0.7]}
    assert head_to_head.head_to_head(views.view_of_arms("pair", two, values)) is None
