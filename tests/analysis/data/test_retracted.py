"""Retracted trials are named with their reason, and whether they were trained again since."""

from analysis.data import study_view
from analysis.data.retracted import retracted_sentences
from orchestrator.ledger import Ledger


def test_nothing_is_said_where_nothing_was_retracted(synthetic):
    assert retracted_sentences(study_view.load(synthetic.results, synthetic.name)) == []


def test_trials_of_one_reason_share_a_sentence_and_those_of_other_studies_are_not_named(write_synthetic_in, tmp_path):
    made = write_synthetic_in(tmp_path)
    rows = study_view.load(made.results, made.name).rows
    of_baseline = rows[(rows["arm"] == "baseline") & rows["seed"].isin([0, 1])]["trial_id"].tolist()
    (of_kmeans,) = rows[(rows["arm"] == "kmeans") & (rows["seed"] == 4)]["trial_id"]
    with Ledger(made.results, writable=True) as ledger:
        ledger.retract(of_baseline, "wrong data")
        ledger.retract([of_kmeans], "a broken machine")
    study = study_view.load(made.results, made.name)
    assert retracted_sentences(study) == [
        "Retracted (a broken machine): kmeans seed 4.",
        "Retracted (wrong data): baseline seed 0; baseline seed 1.",
    ]
    others = study.rows[study.rows["arm"] == "kmeans"]
    elsewhere = study_view.StudyView(study.name, study.results, study.record, others)
    assert retracted_sentences(elsewhere) == ["Retracted (a broken machine): kmeans seed 4."]


def test_a_trial_that_was_trained_again_since_is_said_to_be(write_synthetic_in, tmp_path):
    made = write_synthetic_in(tmp_path)
    rows = study_view.load(made.results, made.name).rows
    (of_kmeans,) = rows[(rows["arm"] == "kmeans") & (rows["seed"] == 4)]["trial_id"]
    with Ledger(made.results, writable=True) as ledger:
        ledger.retract([of_kmeans], "a broken machine")
    study = study_view.load(made.results, made.name)
    assert (study.rows.loc[study.rows["trial_id"] == of_kmeans, "state"] == "missing").all()
    study.rows.loc[study.rows["trial_id"] == of_kmeans, "state"] = "complete"
    assert retracted_sentences(study) == ["Retracted (a broken machine): kmeans seed 4, trained again since."]
