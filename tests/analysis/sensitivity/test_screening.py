"""Morris and Sobol samples are put back in order from a study's arms, whatever order the record has them in."""

from dataclasses import replace

import numpy as np
import pytest
import views
from SALib.sample import morris as morris_sample
from SALib.sample import sobol as sobol_sample

from analysis.sensitivity.screening import kind_of, screenings

NAMES = ["a", "b", "c"]
PROBLEM = {"num_vars": 3, "names": NAMES, "bounds": [[0.0, 1.0]] * 3}
SLOPES = np.array([3.0, -1.0, 0.0])


def study_of(sample, n_seeds=3, order=None):
    """A study with an arm a point of a sample; equal points are one arm, as the plan has them."""
    points = {}
    for row, point in enumerate(sample):
        points.setdefault(tuple(point.tolist()), []).append(row)
    names = {f"point {rows[0]}": (point, rows) for point, rows in points.items()}
    values = {}
    for name, (point, _) in names.items():
        values[(name, "digits")] = [float(np.dot(point, SLOPES)) + 0.001 * seed for seed in range(n_seeds)]
    study = views.view_of_arms("screen", dict.fromkeys(names, ("secu", "level")), values)
    for arm in study.record["arms"]:
        point, rows = names[arm["name"]]
        arm["factor"], arm["level"] = "sample", ",".join(map(str, rows))
        arm["values"] = {**dict(zip(NAMES, point, strict=True)), "fixed": 1}
    if order is not None:
        study.record["arms"] = [study.record["arms"][place] for place in order]
    return study


@pytest.fixture(scope="module")
def morris():
    return morris_sample.sample(PROBLEM, 6, num_levels=4, seed=0)


def test_a_morris_sample_gives_the_slopes_of_a_linear_function_in_any_order_of_its_arms(morris):
    n_arms = len(study_of(morris).record["arms"])
    shuffled = study_of(morris, order=np.random.default_rng(0).permutation(n_arms).tolist())
    for study in (study_of(morris), shuffled):
        (found,) = screenings(study)
        assert (found.kind, found.method, found.dataset, found.refused) == ("morris", "secu", "digits", "")
        assert (found.n_points, found.n_seeds) == (24, 3)
        assert found.table.loc[NAMES, "mu_star"].to_numpy() == pytest.approx([3.0, 1.0, 0.0], abs=1e-9)
        assert "fixed" not in found.table.index


def test_a_saltelli_sample_gives_the_shares_of_variance():
    sample = sobol_sample.sample(PROBLEM, 128, calc_second_order=False, seed=0)
    (found,) = screenings(study_of(sample, n_seeds=1))
    assert (found.kind, found.n_points) == ("sobol", 128 * 5)
    assert found.table.loc[NAMES, "ST"].to_numpy() == pytest.approx([0.9, 0.1, 0.0], abs=0.05)


def test_a_sample_with_a_missing_row_has_no_indices(morris):
    study = study_of(morris)
    del study.record["arms"][3]
    assert screenings(study) == []


def test_seeds_with_a_value_at_every_point_count_and_without_any_the_reason_is_given(morris):
    study = study_of(morris)
    rows = study.rows.copy()
    rows.loc[(rows["seed"] == 1) & (rows["arm"] == "point 0"), "state"] = "failed"
    (found,) = screenings(replace(study, rows=rows))
    assert found.n_seeds == 2 and found.refused == ""
    rows["state"] = rows["state"].where(rows["arm"] != "point 0", "failed")
    (found,) = screenings(replace(study, rows=rows))
    assert found.n_seeds == 0 and "at least one seed with a value at every point" in found.refused
    rows["state"] = "failed"
    (found,) = screenings(replace(study, rows=rows))
    assert found.n_seeds == 0 and "at least one seed" in found.refused


def test_points_that_are_neither_trajectories_nor_blocks_are_no_design(morris):
    assert kind_of(np.random.default_rng(0).random((7, 3))) is None
    assert kind_of(np.random.default_rng(0).random((10, 3))) == "sobol"
    assert kind_of(morris) == "morris"
