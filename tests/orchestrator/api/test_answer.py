from __future__ import annotations

import pytest


def test_trials_epochs_contrasts_and_arms_are_data_frames_that_agree(answer):
    found, _, _ = answer
    trials, contrasts, arms = found.trials(), found.contrasts(), found.arms()
    assert (found.name, len(trials), len(found.epochs())) == ("restarts", 16, 16)
    by_arm = trials.pivot_table(index="seed", columns="arm", values="metric.nmi")
    difference = (by_arm["n_init=4"] - by_arm["baseline"]).mean()
    assert contrasts["estimate"][0] == pytest.approx(difference)
    assert arms.loc["baseline", "nmi"] == pytest.approx(by_arm["baseline"].mean())
    assert list(contrasts["sentence"]) == found.sentences and found.sentences[0].startswith("n_init=4")
    assert found.searches() == [] and found.trade_offs() == []
    assert "Do more restarts" in found.question and found.question in found._repr_html_() and "restarts" in repr(found)


def test_figures_and_the_report_are_those_of_the_command(answer, tmp_path):
    found, _, _ = answer
    assert "effects" in found.figures() and all(figure.axes for figure in found.figures().values())
    assert "Do more restarts" in found.report(tmp_path).read_text()
