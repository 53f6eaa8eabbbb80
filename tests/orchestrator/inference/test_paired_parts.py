"""Both parts seed by seed, and the cells of a grid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest

from orchestrator.inference.paired_parts import cells_of, matched, matched_cells, paired_parts

AGAINST_FIRST = np.array([[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])


def test_where_a_side_does_not_work_there_is_no_difference_but_a_discordant_seed():
    values = np.array([[1.0, 2.0, 3.0, 4.0], [2.0, 0.1, 5.0, 0.1], [0.0, math.nan, 1.0, 2.0]])
    works = np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0], [1.0, 0.0, 1.0, math.nan]])
    found = paired_parts(values, works, cells_of(AGAINST_FIRST))
    assert np.array_equal(found.living, [[1.0, math.nan, math.nan, math.nan], [-1.0] + [math.nan] * 3], equal_nan=True)
    assert np.array_equal(found.shares, [[0.0, 1.0, -1.0, 0.0], [0.0, 1.0, -1.0, math.nan]], equal_nan=True)
    assert found.two_arms.all()


def grid(*sizes):
    """Arms of a grid over knobs a, b, ... and their settings."""
    levels = list(product(*(range(size) for size in sizes)))
    return {f"arm {place}": dict(zip("abc", values, strict=False)) for place, values in enumerate(levels)}


def test_an_effect_over_a_grid_has_a_cell_for_every_setting_of_the_other_knobs():
    settings = grid(2, 3)
    weights = {arm: (1.0 if own["a"] else -1.0) / 3 for arm, own in settings.items()}
    cells = matched_cells(weights, settings)
    assert len(cells) == 3
    for cell in cells:
        (minus, plus) = sorted(cell, key=lambda arm: cell[arm])
        assert settings[minus] == {**settings[plus], "a": 0} and sum(cell.values()) == pytest.approx(0.0)


def test_an_interaction_keeps_both_of_its_knobs_in_one_cell():
    settings = grid(2, 2, 2)
    weights = {arm: (1 - 2 * own["a"]) * (1 - 2 * own["b"]) / 4 for arm, own in settings.items()}
    cells = matched_cells(weights, settings)
    assert [len(cell) for cell in cells] == [4, 4]
    assert all(len({settings[arm]["c"] for arm in cell}) == 1 for cell in cells)


def test_knobs_that_a_level_sets_together_are_one_factor():
    settings = {
        "slow a": {"lr": 0.1, "warm_up": 1, "loss": "a"},
        "slow b": {"lr": 0.1, "warm_up": 1, "loss": "b"},
        "fast a": {"lr": 1.0, "loss": "a"},
        "fast b": {"lr": 1.0, "loss": "b"},
    }
    weights = {"slow a": -0.5, "slow b": -0.5, "fast a": 0.5, "fast b": 0.5}
    assert [set(cell) for cell in matched_cells(weights, settings)] == [{"slow a", "fast a"}, {"slow b", "fast b"}]


def test_arms_that_do_not_match_are_one_cell():
    assert matched_cells({"x": 1.0, "y": -1.0}, {}) == [{"x": 1.0, "y": -1.0}]
    half = {"1": {"a": 0, "b": 0, "c": 1}, "2": {"a": 0, "b": 1, "c": 0}, "3": {"a": 1, "b": 0, "c": 0}}
    weights = {"1": -0.5, "2": -0.5, "3": 1.0}
    assert matched_cells(weights, half) == [weights]
    drawn = np.random.default_rng(0).integers(0, 2, (40, 14))
    many = {str(i): {f"k{j}": int(level) for j, level in enumerate(row)} for i, row in enumerate(drawn)}
    weights = {arm: 1.0 if int(arm) % 2 else -1.0 for arm in many}
    assert len(matched_cells(weights, many)) == 1


def test_a_seed_counts_the_cells_whose_arms_all_work_at_the_scale_of_all():
    cells = [np.array([[-0.5, 0.5, 0.0, 0.0], [0.0, 0.0, -0.5, 0.5]])]
    values = np.array([[1.0, 1.0], [3.0, 3.0], [10.0, 0.1], [14.0, 11.0]])
    works = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    found = paired_parts(values, works, cells)
    # (2 + 4) / 2, then the living cell alone; never 3 and 11 against 1
    assert found.living[0] == pytest.approx([3.0, 2.0])
    assert found.shares[0] == pytest.approx([0.0, -0.5]) and not found.two_arms[0]


@dataclass(frozen=True)
class Pair:
    name: str
    weights: dict[str, float]


def test_contrasts_come_with_their_cells():
    settings = grid(2, 2)
    weights = {arm: own["b"] - 0.5 for arm, own in settings.items()}
    (one,) = matched([Pair("b", weights)], settings)
    assert (one.name, len(one.cells)) == ("b", 2)
