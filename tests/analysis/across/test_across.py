"""What only several studies together say: importances on one scale, ranks, the price of rules, costs, boundaries."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import views
from scipy import stats

from analysis.across import collapse, head_to_head, knob_importance, label_free
from analysis.figures import pareto
from analysis.figures.boundaries import sides_of
from analysis.pages import family


def searched(name="search_pipcdr", method="pipcdr", *, weights=(0.3, 0.0, 0.0), seed=0, dataset="digits", n=40):
    """A search whose NMI rises with its first knob alone; neighbour MI follows NMI, silhouette runs against it."""
    random = np.random.default_rng(seed)
    words = {"pipcdr": ("neighbour_noise", "kmeans_every", "lr"), "secu": ("dual_lr", "lower_bound", "lr")}[method]
    knobs = {word: random.random(n) for word in words}
    base = 0.4 + sum(weight * values for weight, values in zip(weights, knobs.values(), strict=True))
    nmi = base[:, None] + 0.01 * random.standard_normal((n, 4))
    metrics = {"nmi": nmi, "neighbour_mi": 2 * nmi, "silhouette": -nmi}
    return views.view_of_search(name, method, knobs, metrics, dataset=dataset)


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


ARMS = {
    "baseline": ("kmeans", "baseline"),
    "secu": ("secu", "rival"),
    "pipcdr": ("pipcdr", "rival"),
    "lr=1": ("kmeans", "level"),
}


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


def test_a_trial_that_two_studies_ask_for_collapses_once_and_maps_name_their_study():
    grid = {f"{a}, {b}": ("secu", "baseline" if a == b == "1" else "level") for a in "123" for b in "12"}
    random = np.random.default_rng(0)
    study = views.view_of_arms("crossed", grid, {(arm, "digits"): random.random(4) for arm in grid})
    for arm in study.record["arms"]:
        arm |= {"factor": "lower_bound x dual_lr", "level": arm["name"]}
    study.rows["collapsed"] = study.rows["arm"] == "3, 2"
    table = collapse.collapse_shares([study, study])
    assert table.loc["secu", ["trials", "collapsed"]].tolist() == [24, 4]
    assert table.loc["secu", "low"] < 4 / 24 < table.loc["secu", "high"]
    section = collapse.collapse_section([study])
    assert [drawing.key for drawing in section.drawings] == ["map_digits_crossed"]
    study.rows["collapsed"] = False
    assert collapse.collapse_section([study]) is None


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
    from analysis.figures import finite_designs
    from analysis.tables import arm_tables

    arms = {"baseline": ("secu", "baseline"), **{f"size={place}": ("secu", "level") for place in range(3)}}
    values = {(arm, "digits"): [0.5, 0.6, 0.7] for arm in arms}
    study = views.view_of_arms("sizes", arms, values)
    for arm in study.record["arms"]:
        arm["factor"] = "" if arm["role"] == "baseline" else "batch_size"
    levels = dict(zip(arms, (64, 128, 256, 256), strict=True))
    study.rows["knob.batch_size"] = study.rows["arm"].map(levels)
    assert finite_designs.level_figures(study, arm_tables.arm_rows(study, [])) == []
    study.rows["knob.batch_size"] = study.rows["arm"].map({**levels, "size=2": 512})
    assert len(finite_designs.level_figures(study, arm_tables.arm_rows(study, []))) == 1


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
    panels = drawing.figure.axes
    assert [axes.get_title() for axes in panels] == ["baseline", "secu"]
    paths = [path for held in panels[0].collections for path in held.get_paths() if len(path.vertices)]
    assert paths
    assert np.allclose(np.concatenate([path.vertices for path in paths])[:, 0], 0.25)
    assert boundaries.boundary_figures(study, study.rows.assign(epoch=3)) == []


def test_other_tiers_are_not_mixed_in(both):
    paper = searched("search_pipcdr.paper", seed=5)
    paper.record["tier"] = "paper"
    assert family.across_sections([paper], 5) == []
    titles = [section.title for section in family.across_sections([*both, paper], 5)]
    assert titles == ["The knobs on one scale", "What choosing without labels costs"]
