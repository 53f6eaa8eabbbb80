from __future__ import annotations

import pandas as pd

from analysis import training


def rows(arm, values):
    return [
        {"trial_id": arm, "arm": arm, "epoch": place + 1, "metric.nmi": value} for place, value in enumerate(values)
    ]


def test_a_trial_is_under_trained_if_it_moved_by_a_point_over_the_last_fifth():
    rest = [0.1 * place for place in range(8)]
    epochs = pd.DataFrame(
        rows("still", [*rest, 0.705, 0.709])
        + rows("moving", [*rest, 0.705, 0.715])
        + rows("falling", [*rest, 0.7, 0.68])
    )
    assert training.under_trained(epochs, "nmi")["moving"].to_dict() == {"still": 0, "moving": 1, "falling": 1}


def test_too_few_evaluations_say_nothing():
    assert training.under_trained(pd.DataFrame(rows("short", [0.1, 0.2, 0.9, 1.0])), "nmi").empty
    assert training.under_trained(pd.DataFrame(), "nmi").empty
