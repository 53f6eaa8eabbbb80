from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.figures import curves


def test_curves_have_bands_that_are_t_intervals(parts):
    study, _, _, epochs = parts
    (drawn,) = curves.curves_figures(study, epochs, "nmi")
    band = drawn.figure.axes[0].collections[0].get_paths()[0].vertices
    last = epochs[(epochs["arm"] == "baseline") & (epochs["epoch"] == 10)]["metric.nmi"]
    low, high = stats.t.interval(0.95, len(last) - 1, loc=last.mean(), scale=stats.sem(last))
    at_last = band[np.isclose(band[:, 0], 10), 1]
    assert at_last.min() == pytest.approx(100 * low) and at_last.max() == pytest.approx(100 * high)


def test_the_level_curve_holds_the_baseline_too(parts):
    study, _, rows, _ = parts
    drawn = curves.level_figure(study, rows, "fairness_weight")
    assert sorted(drawn.figure.axes[0].lines[0].get_xdata()) == [0, 10, 100, 1000]
    assert curves.level_figure(study, rows, "loss") is None
