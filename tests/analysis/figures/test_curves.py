from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.figures import curves
from analysis.svg.marks import Fill, Line


def test_curves_have_bands_that_are_t_intervals(parts):
    study, _, _, epochs = parts
    (drawn,) = curves.curves_figures(study, epochs, "nmi")
    band = next(mark for mark in drawn.figure.panels[0].marks if isinstance(mark, Fill))
    last = epochs[(epochs["arm"] == "baseline") & (epochs["epoch"] == 10)]["metric.nmi"]
    low, high = stats.t.interval(0.95, len(last) - 1, loc=last.mean(), scale=stats.sem(last))
    (at_last,) = np.flatnonzero(band.x == 10)
    assert band.low[at_last] == pytest.approx(100 * low) and band.high[at_last] == pytest.approx(100 * high)


def test_the_level_curve_holds_the_baseline_too(parts):
    study, _, rows, _ = parts
    drawn = curves.level_figure(study, rows, "fairness_weight")
    assert sorted(next(mark for mark in drawn.figure.panels[0].marks if isinstance(mark, Line)).x) == [0, 10, 100, 1000]
    assert curves.level_figure(study, rows, "loss") is None
