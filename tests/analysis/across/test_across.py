"""What only several studies together say, drawn: fronts, level curves, boundaries; other tiers are left out."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import views
from scipy import stats
from searched_studies import ARMS, searched

from analysis.figures import pareto
from analysis.figures.boundaries import sides_of
from analysis.pages import family
from analysis.svg.marks import Segments


@pytest.fixture(scope="module")
def both():
    return [searched(), searched("search_secu", "secu", weights=(0.0, 0.2, 0.1), seed=1)]


def test_the_front_holds_what_nothing_cheaper_beats():
    seconds, values = np.array([1.0, 2.0, 3.0, 4.0, 2.0]), np.array([0.5, 0.4, 0.7, 0.7, 0.6])
    assert pareto.front(seconds, values).tolist() == [0, 4, 2]


def test_costs_are_geometric_means_and_equal_costs_are_no_figure():
    values = {("baseline", "digits"): [0.5] * 4, ("secu", "digits"): [0.6] * 4, ("pipcdr", "digits"): [0.55] * 4}
    dear = views.view_of_arms("dear", ARMS, values, seconds={"secu": 10.0})
    from analysis.tables import arm_tables

    rows = arm_tables.arm_rows(dear, [])
    table = pareto.costs(dear, rows).set_index("arm")
    assert table.loc["secu", "seconds"] == pytest.approx(stats.gmean(10 * (1 + 0.01 * np.arange(4))))
    assert table.loc["kmeans", "seconds_low"] < table.loc["kmeans", "seconds"] < table.loc["kmeans", "seconds_high"]
    assert len(pareto.pareto_figures(dear, rows)) == 1
    even = views.view_of_arms("even", ARMS, values)
    assert pareto.pareto_figures(even, arm_tables.arm_rows(even, [])) == []


def test_arms_that_share_a_level_make_no_level_curve():
    from analysis.figures import curves
    from analysis.tables import arm_tables

    arms = {"baseline": ("secu", "baseline"), **{f"size={place}": ("secu", "level") for place in range(3)}}
    values = {(arm, "digits"): [0.5, 0.6, 0.7] for arm in arms}
    study = views.view_of_arms("sizes", arms, values)
    for arm in study.record["arms"]:
        arm["factor"] = "" if arm["role"] == "baseline" else "batch_size"
    levels = dict(zip(arms, (64, 128, 256, 256), strict=True))
    study.rows["knob.batch_size"] = study.rows["arm"].map(levels)
    assert curves.level_figures(study, arm_tables.arm_rows(study, [])) == []
    study.rows["knob.batch_size"] = study.rows["arm"].map({**levels, "size=2": 512})
    assert len(curves.level_figures(study, arm_tables.arm_rows(study, []))) == 1


def test_sides_are_read_up_to_the_last_cluster_that_a_row_has():
    row = pd.Series(
        {f"diagnostic.plane_{k}_{part}": k + place for k in range(2) for place, part in enumerate(("x", "y", "bias"))}
    )
    row["diagnostic.plane_2_x"] = np.nan
    assert sides_of(row).tolist() == [[0, 1, 2], [1, 2, 3]]
    assert sides_of(pd.Series({"metric.nmi": 0.1})).shape == (0, 3)


def test_boundaries_of_every_arm_are_drawn_where_the_largest_sum_changes(monkeypatch):
    from analysis.figures import boundaries

    points = np.random.default_rng(0).standard_normal((50, 2))
    data = SimpleNamespace(eval_vectors=points, eval_labels=(points[:, 0] > 0).astype(int))
    monkeypatch.setattr(boundaries.discovery, "load_dataset", lambda *_: data)
    study = views.view_of_arms("plane", ARMS, {("baseline", "digits"): [0.5] * 2, ("secu", "digits"): [0.6] * 2})
    epochs = study.rows.assign(epoch=3, **{f"diagnostic.plane_{k}_{part}": 0.0 for k in (0, 1) for part in "xy"})
    epochs["diagnostic.plane_0_x"] = 1.0  # the side of cluster 0 is x > 0.25
    epochs["diagnostic.plane_0_bias"], epochs["diagnostic.plane_1_bias"] = -0.25, 0.0
    (drawing,) = boundaries.boundary_figures(study, epochs)
    assert [panel.title for panel in drawing.figure.panels] == ["baseline", "secu"]
    lines = [mark.ends for mark in drawing.figure.panels[0].marks if isinstance(mark, Segments) and len(mark.ends)]
    assert lines
    assert np.allclose(np.concatenate(lines)[:, :, 0], 0.25)
    assert boundaries.boundary_figures(study, study.rows.assign(epoch=3)) == []


def test_other_tiers_are_not_mixed_in(both):
    paper = searched("search_pipcdr.paper", seed=5)
    paper.record["tier"] = "paper"
    assert family.across_sections([paper], 5) == []
    titles = [section.title for section in family.across_sections([*both, paper], 5)]
    assert titles == ["The knobs on one scale", "What choosing without labels costs"]
