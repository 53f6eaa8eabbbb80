from __future__ import annotations

import pytest

import orchestrator as dco
from orchestrator.errors import RequestError, UnknownNameError


def test_a_folder_names_its_studies_and_gives_the_evaluations_of_chosen_trials(answer):
    found, _, folder = answer
    results = dco.load_results(folder)
    assert results.studies == ["restarts"] and "restarts" in repr(results)
    chosen = list(found.trials()["trial_id"])[:3]
    assert set(results.epochs(chosen)["trial_id"]) == set(chosen)
    assert set(results.epochs()["trial_id"]) == set(results.trials()["trial_id"])


def test_a_folder_or_a_study_that_is_not_there_is_one_line(tmp_path, answer):
    with pytest.raises(RequestError, match="there is no results folder"):
        dco.load_results(tmp_path / "nowhere")
    with pytest.raises(UnknownNameError):
        dco.load_results(answer[2]).study("never")
