from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.data import study_view
from analysis.figures import knob_maps
from analysis.tables import arm_tables


def grid_study(collapsed=True):
    arms, rows = [], []
    for p in ("1", "2", "4"):
        for q in ("a", "b"):
            name = f"p={p}, q={q}"
            arms.append({"name": name, "method": "m", "dataset": "digits", "role": "level" if arms else "baseline",
                         "factor": "p x q", "level": f"{p}, {q}"})  # fmt: skip
            rows += [
                {"trial_id": name + str(seed), "arm": name, "seed": seed, "phase": "confirm", "state": "complete",
                 "collapsed": collapsed and p == "4" and seed == 0, "metric.nmi": 0.1 * float(p) + 0.01 * seed}
                for seed in range(4)
            ]  # fmt: skip
    record = {"metric": "nmi", "alpha": 0.05, "datasets": ["digits"], "arms": arms}
    return study_view.StudyView("s", Path("r"), record, pd.DataFrame(rows))


def test_a_grid_over_two_factors_is_a_map_with_intervals_in_its_cells():
    study = grid_study()
    rows = arm_tables.arm_rows(study, [])
    (drawn,) = knob_maps.grid_figures(study, rows)
    means, gone = (panel.notes() for panel in drawn.figure.panels if panel.x_label == "q")
    half = stats.t.ppf(0.975, 3) * np.std([0.0, 0.01, 0.02, 0.03], ddof=1) / 2
    assert means[0].text == f"11.5\n±{100 * half:.1f}"
    assert [note.text.split("\n")[0] for note in gone] == ["0/4"] * 4 + ["1/4"] * 2


def test_without_collapse_there_is_no_panel_of_it():
    study = grid_study(collapsed=False)
    (drawn,) = knob_maps.grid_figures(study, arm_tables.arm_rows(study, []))
    assert [panel.x_label for panel in drawn.figure.panels] == ["q"]


def test_the_collapse_map_counts_every_configuration_once():
    random = np.random.default_rng(0)
    table = pd.DataFrame({"x": 10 ** random.uniform(-3, 0, 60), "y": random.uniform(0, 1, 60)})
    table["collapsed"] = np.where(table["x"] < 0.01, 0.5, 0.0)
    drawn = knob_maps.collapse_map(table, ("x", "y"), "m on d", "key")
    counts = [note.text.split("\n")[0].split("/") for note in drawn.figure.panels[0].notes()]
    assert sum(int(total) for _, total in counts) == 60
    assert sum(int(gone) for gone, _ in counts) == int((table["x"] < 0.01).sum())


@pytest.mark.parametrize("change", [{"collapsed": 0.0}, {"x": "text"}])
def test_no_map_where_nothing_collapsed_or_a_knob_is_no_number(change):
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 3.0], "collapsed": [0.0, 1.0, 0.0]}).assign(**change)
    assert knob_maps.collapse_map(table, ("x", "y"), "m on d", "key") is None
