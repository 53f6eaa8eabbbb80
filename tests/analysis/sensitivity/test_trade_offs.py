"""The front of several objectives against a search by hand, and the share of resampled seeds by a direct count."""

from __future__ import annotations

import itertools

import numpy as np
import views

from analysis.sensitivity.trade_offs import trade_offs


def by_definition(scores):
    return [not any((other >= own).all() and (other > own).any() for other in scores) for own in scores]


def study_and_search(quality, cost):
    knobs = {"lr": np.linspace(0.1, 1.0, len(quality))}
    study = views.view_of_search("s", "m", knobs, {"neighbour_mi": quality, "cost": cost, "nmi": quality})
    search = {**study.record["searches"][0], "rules": ["neighbour_mi", "cost"], "directions": ["maximize", "minimize"]}
    history = [
        {**entry, "objective": [float(np.mean(q)), float(np.mean(c))], "state": "complete"}
        for entry, q, c in zip(search["history"], quality, cost, strict=True)
    ]
    return study, {**search, "history": history}


def test_a_small_cost_is_good_and_intervals_are_over_seeds():
    quality = np.array([[1.0, 1.2, 1.1], [2.0, 2.1, 2.2], [0.9, 1.0, 1.1]])
    cost = np.array([[1.0, 1.0, 1.3], [3.0, 3.2, 3.1], [2.0, 2.0, 2.0]])
    table = trade_offs(*study_and_search(quality, cost))
    assert table["on_front"].to_dict() == {0: True, 1: True, 2: False}
    assert list(table.index) == [1, 0, 2]
    assert (table["cost.low"] < table["cost"]).sum() == 2 and table.loc[2, "cost.low"] == 2.0


def test_the_share_of_resampled_seeds_is_near_that_of_all_resamples():
    quality = np.array([[1.0, 1.2, 0.8], [1.1, 0.9, 1.0], [0.5, 0.4, 0.3]])
    cost = np.array([[1.0, 1.2, 1.1], [1.1, 1.0, 1.2], [1.3, 1.3, 1.3]])
    table = trade_offs(*study_and_search(quality, cost))
    both = np.stack([quality, -cost], axis=2)
    draws = [by_definition(both[:, list(seeds)].mean(axis=1)) for seeds in itertools.product(range(3), repeat=3)]
    expected = np.mean(draws, axis=0)
    assert np.allclose(table["share"].sort_index(), expected, atol=0.05)
    assert table.loc[2, "share"] == 0.0


def test_with_too_few_seeds_no_share_is_claimed():
    study, search = study_and_search(np.array([[1.0, 1.2], [2.0, 2.1]]), np.array([[1.0, 1.0], [3.0, 3.2]]))
    assert trade_offs(study, search)["share"].isna().all()
