from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analysis.data import study_view
from analysis.figures import drawing, finite_designs, searches
from analysis.tables import arm_tables
from analysis.tables.search_table import search_table
from analysis.verdicts import verdicts


@pytest.fixture(scope="module")
def parts(synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    found = verdicts.verdicts(study)
    return study, found, arm_tables.arm_rows(study, found), study_view.epochs_of(study, study_view.confirm_rows(study))


def lines_of(figure):
    return [line.get_xydata() for axes in figure.axes for line in axes.lines]


def test_a_study_gets_its_figures_the_answer_first(parts):
    study, found, rows, epochs = parts
    keys = [one.key for one in finite_designs.study_figures(study, rows, found, epochs)]
    assert keys == ["effects", "arms", "levels_fairness_weight", "curves_nmi", "collapse"]


def test_every_contrast_is_drawn_with_the_interval_of_its_verdict(parts):
    study, found, _, _ = parts
    ends = [line[:, 0] for line in lines_of(finite_designs.effects_figure(study, found).figure) if len(line) == 2]
    for one in found:
        interval = [100 * one.judgement.interval.low, 100 * one.judgement.interval.high]
        assert any(np.allclose(end, interval) for end in ends), one.contrast.name


def test_every_arm_is_drawn_with_its_mean_and_interval(parts):
    study, _, rows, _ = parts
    lines = lines_of(finite_designs.arms_figure(study, rows).figure)
    for row in rows:
        cell = row.cells["nmi"]
        assert any(len(line) == 2 and np.allclose(line[:, 0], [100 * cell.low, 100 * cell.high]) for line in lines)


def test_every_seed_is_drawn(parts):
    study, _, rows, _ = parts
    drawn = np.concatenate([line[:, 0] for line in lines_of(finite_designs.arms_figure(study, rows).figure)])
    values = [100 * value for arm in study_view.by_seed(study, "nmi").values() for value in arm.values()]
    assert all(np.isclose(drawn, value).any() for value in values)


def test_curves_have_bands_that_are_t_intervals(parts):
    study, _, _, epochs = parts
    (drawn,) = finite_designs.curves_figures(study, epochs, "nmi")
    band = drawn.figure.axes[0].collections[0].get_paths()[0].vertices
    last = epochs[(epochs["arm"] == "baseline") & (epochs["epoch"] == 10)]["metric.nmi"]
    low, high = stats.t.interval(0.95, len(last) - 1, loc=last.mean(), scale=stats.sem(last))
    at_last = band[np.isclose(band[:, 0], 10), 1]
    assert at_last.min() == pytest.approx(100 * low) and at_last.max() == pytest.approx(100 * high)


def test_the_level_curve_holds_the_baseline_too(parts):
    study, _, rows, _ = parts
    drawn = finite_designs.level_figure(study, rows, "fairness_weight")
    assert sorted(drawn.figure.axes[0].lines[0].get_xdata()) == [0, 10, 100, 1000]
    assert finite_designs.level_figure(study, rows, "loss") is None


def test_an_outlying_contrast_gets_an_enlarged_panel(parts):
    study, found, _, _ = parts
    study = replace(study, rows=study.rows.copy())
    study.rows.loc[(study.rows["arm"] == "loss=forward") & (study.rows["seed"] == 3), "metric.nmi"] = 0.1
    assert len(finite_designs.effects_figure(study, verdicts.verdicts(study)).figure.axes) == 2
    calm = [one for one in found if one.contrast.factor in ("norm_weight", "update")]
    assert len(finite_designs.effects_figure(study, calm).figure.axes) == 1


def test_colours_and_markers_tell_decisions_apart():
    looks = list(finite_designs.LOOKS.values())
    assert len({colour for colour, _, _ in looks}) == len(looks) and len({marker for _, marker, _ in looks}) == len(
        looks
    )


def test_saved_figures_are_the_same_bytes_again(parts, tmp_path):
    study, _, rows, _ = parts
    one, two = (
        drawing.save([finite_designs.level_figure(study, rows, "fairness_weight")], tmp_path / name)[0].read_bytes()
        for name in ("a", "b")
    )
    assert one == two


def test_pictures_of_dots_are_written_if_they_are_asked_for(parts, tmp_path):
    study, _, rows, _ = parts
    figure = finite_designs.level_figure(study, rows, "fairness_weight")
    (path,) = drawing.save([figure], tmp_path, png=True)
    assert path.suffix == ".svg"
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_a_search_is_drawn_with_the_choice_and_its_crosses(parts):
    study = parts[0]
    table = search_table(study, study.record["searches"][0])
    assert table["chosen"].sum() == 1 and table.loc[table["chosen"], "objective"].item() == table["objective"].max()
    (drawn,) = searches.figures_of_searches(study)
    assert len([axes for axes in drawn.figure.axes if axes.get_visible()]) == 3


def test_a_search_says_from_how_many_earlier_configurations_it_began(parts):
    study = parts[0]
    search = study.record["searches"][0]
    cold = searches.history(study, search)
    history = [{**entry, **({"warm_start": True} if entry["number"] < 2 else {})} for entry in search["history"]]
    warm = searches.history(study, {**search, "history": history})
    assert "It began from 2 earlier configurations of the ledger, marked *." in warm["sentence"]
    assert "It began" not in cold["sentence"]
    assert "*" not in cold["table"]


def test_the_pareto_set_of_several_objectives_is_listed(parts):
    study = parts[0]
    search = study.record["searches"][0]
    objectives = {0: [0.5, 0.1], 1: [0.4, 0.4], 2: [0.4, 0.3], 3: [0.1, 0.5], 4: [0.9, 0.9], 5: [0.5, 0.1]}
    history = [
        {**search["history"][number], "state": "complete", "feasible": number != 4, "objective": values}
        for number, values in objectives.items()
    ]
    several = {**search, "rules": ["neighbour_mi", "silhouette"], "history": history, "chosen_number": 0}
    assert [entry["number"] for entry in searches.pareto(several)] == [0, 1, 3, 5]
    found = searches.history(study, several)["pareto"]
    assert found.count("<tr") == 1 + 4
    assert searches.history(study, search)["pareto"] == ""
    assert searches.pareto({**several, "history": []}) == []
