from __future__ import annotations

import json
from dataclasses import replace
from itertools import chain

import numpy as np

from analysis.data import study_view
from analysis.figures import finite_designs
from analysis.svg.layout import INCH, placed
from analysis.svg.marks import Line
from analysis.tables import arm_tables
from analysis.verdicts import verdicts


def lines_of(figure):
    marks = chain.from_iterable(panel.marks for panel in figure.panels)
    return [np.column_stack([mark.x, mark.y]) for mark in marks if isinstance(mark, Line)]


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


def test_an_outlying_contrast_gets_an_enlarged_panel(parts):
    study, found, _, _ = parts
    study = replace(study, rows=study.rows.copy())
    study.rows.loc[(study.rows["arm"] == "loss=forward") & (study.rows["seed"] == 3), "metric.nmi"] = 0.1
    assert len(finite_designs.effects_figure(study, verdicts.verdicts(study)).figure.panels) == 2
    calm = [one for one in found if one.contrast.factor in ("norm_weight", "update")]
    assert len(finite_designs.effects_figure(study, calm).figure.panels) == 1


def test_colours_and_markers_tell_decisions_apart():
    looks = list(finite_designs.LOOKS.values())
    assert len({colour for colour, _, _ in looks}) == len(looks) and len({marker for _, marker, _ in looks}) == len(
        looks
    )


def test_long_names_of_arms_leave_every_panel_its_room(parts):
    study, _, _, epochs = parts
    long = f"norm_weight=0 and {'a name that somebody wrote at length, ' * 4}"

    def renamed(text):
        return text.replace("norm_weight=0", long)

    record = json.loads(renamed(json.dumps(dict(study.record))))
    rows = study.rows.assign(arm=study.rows["arm"].astype(str).map(renamed))
    study = replace(study, record=record, rows=rows)
    found = verdicts.verdicts(study)
    made = finite_designs.study_figures(
        study, arm_tables.arm_rows(study, found), found, epochs.assign(arm=epochs["arm"].astype(str).map(renamed))
    )
    for one in made:
        for panel in placed(one.figure):
            assert panel.width > 1.5 * INCH and panel.height > 1.5 * INCH
