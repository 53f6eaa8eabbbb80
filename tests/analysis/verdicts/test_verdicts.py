from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.data import study_view
from analysis.verdicts import verdicts


def study_of(difference, *, margin=None, n=12, collapsed=(), exploratory=False, looks_taken=(), kind="difference"):
    """Two arms whose paired differences are exactly `difference` (n,)."""
    difference = np.broadcast_to(difference, n)
    rows = [
        {"trial_id": f"{arm}{seed}", "arm": arm, "seed": seed, "phase": "confirm", "state": "complete",
         "collapsed": arm == "level" and seed in collapsed,
         "metric.nmi": 0.5 + 0.01 * seed + (difference[seed] if arm == "level" else 0.0)}
        for arm in ("baseline", "level") for seed in range(n)
    ]  # fmt: skip
    record = {
        "metric": "nmi", "alpha": 0.05, "margin": margin, "exploratory": exploratory, "datasets": ["digits"],
        "arms": [{"name": "baseline"}, {"name": "level"}], "seeds": {"block": "confirm", "seeds": list(range(n))},
        "looks_taken": list(looks_taken), "tier": "local", "protocol": "whole",
        "contrasts": [{"name": "c", "weights": {"level": 1.0, "baseline": -1.0}, "kind": kind, "factor": "knob"}],
    }  # fmt: skip
    return study_view.StudyView("s", Path("r"), record, pd.DataFrame(rows))


ALTERNATING = np.array([0.03, -0.03] * 6)


def test_an_effect_is_said_with_its_size_interval_and_corrected_p():
    (found,) = verdicts.verdicts(study_of(np.linspace(0.04, 0.06, 12)))
    assert found.word == "effect"
    assert found.sentence.startswith("level is 5.0 points above baseline in NMI (95 % interval +4.")
    assert "corrected p < 0.001; 12 seed pairs)." in found.sentence


def test_a_trend_raises_or_lowers():
    (found,) = verdicts.verdicts(study_of(np.linspace(-0.06, -0.04, 12), kind="trend"))
    assert found.sentence.startswith("Raising knob from its first to its last level lowers NMI by 5.0 points (")


def test_what_is_not_shown_is_called_inconclusive():
    (found,) = verdicts.verdicts(study_of(ALTERNATING, margin=0.005))
    assert found.word == "inconclusive"
    assert "level is inconclusive against baseline" in found.sentence
    assert "A difference beyond ±0.5 is not excluded." in found.sentence


def test_equivalence_names_the_margin_that_was_stated():
    (found,) = verdicts.verdicts(study_of(0.01 * ALTERNATING, margin=0.01))
    assert found.word == "no difference"
    assert "makes no difference to NMI beyond ±1.0 points" in found.sentence and "equivalence p" in found.sentence


def test_a_small_real_effect_is_called_both():
    (found,) = verdicts.verdicts(study_of(np.linspace(0.001, 0.002, 12), margin=0.01))
    assert found.word == "effect within margin" and "within the margin of ±1.0" in found.sentence


def test_too_few_pairs_are_said_not_to_be_able_to_decide():
    (found,) = verdicts.verdicts(study_of(0.05, n=4))
    assert "cannot reach 0.05" in found.sentence and found.word == "inconclusive"


def test_one_pair_is_not_tested():
    (found,) = verdicts.verdicts(study_of(0.05, n=1))
    assert found.word == "not tested" and "1 complete pair" in found.sentence


def test_collapse_stands_beside_the_effect():
    (found,) = verdicts.verdicts(study_of(np.r_[np.full(3, -0.4), 0.001 * np.arange(9)], collapsed=(0, 1, 2)))
    assert "Collapsed: 3 of 12 against 0 of 12" in found.sentence and "over 9 pairs" in found.sentence
    assert found.sentence.endswith("Interval unreliable: fewer than 20 pairs and a collapsed trial.")


def test_a_seed_that_is_missing_is_named_and_never_shifts_the_pairing():
    study = study_of(0.05)
    rows = study.rows[~((study.rows["arm"] == "level") & (study.rows["seed"] == 4))]
    (found,) = verdicts.verdicts(replace(study, rows=rows))
    assert "Left out, because a trial is missing or failed: seed 4." in found.sentence
    assert found.judgement.estimate == pytest.approx(0.05)


def test_an_exploratory_study_says_so_before_anything_else():
    assert verdicts.heading(study_of(0.05, exploratory=True)).startswith("Exploratory, so no claim: ")


def test_another_precision_than_float32_is_named():
    study = study_of(0.05)
    assert "float32" not in verdicts.heading(study)
    study.record["precision"] = "bfloat16"
    assert "protocol whole, forward passes in bfloat16, 12 paired" in verdicts.heading(study)


def test_looks_by_hand_are_told_and_paid_for():
    looks = [{"n_seeds": 6, "planned": False}, {"n_seeds": 12, "planned": True}]
    once, twice = study_of(np.linspace(0.01, 0.06, 12)), study_of(np.linspace(0.01, 0.06, 12), looks_taken=looks)
    twice.record["seeds"]["planned"] = [12]
    assert (
        verdicts.looks_sentence(twice.record)
        == "2 looks taken at the results, with 6 and 12 seeds, 1 of them not planned."
    )
    assert verdicts.looks_sentence(once.record) == ""
    assert verdicts.looks_of(once.record) is None and verdicts.looks_of(twice.record).taken == (6, 12)
    assert verdicts.verdicts(twice)[0].judgement.p_corrected > verdicts.verdicts(once)[0].judgement.p_corrected


def test_a_study_that_stopped_early_says_what_it_saved():
    study = study_of(np.linspace(0.04, 0.06, 10), n=10, looks_taken=[{"n_seeds": 10, "planned": True}])
    study.record["seeds"] |= {"looks": [10, 20, 40], "planned": [10, 20, 40]}
    assert verdicts.looks_sentence(study.record) == (
        "1 look taken at the results, with 10 seeds, as planned. Of 40 planned seeds the study took 10: it stopped "
        "there and saved 75 % of them."
    )


def test_the_margin_is_for_the_metric_that_it_was_stated_for():
    study = study_of(0.0, margin=0.01)
    study.rows["metric.loss"] = study.rows["metric.nmi"]
    assert verdicts.verdicts(study, "loss")[0].judgement.equivalence is None


def test_the_tally_counts_every_decision(synthetic):
    found = verdicts.verdicts(study_view.load(synthetic.results, synthetic.name))
    assert (
        sum(
            int(part.split()[0])
            for part in verdicts.tally(found, "paper")[len("At the paper tier, of 7 contrasts: ") : -1]
            .replace(" and ", ", ")
            .split(", ")
        )
        == 7
    )


def test_datasets_are_named_where_there_are_several(two_datasets):
    found = verdicts.verdicts(study_view.load(two_datasets.results, two_datasets.name))
    assert len(found) == 14
    assert all(f" on {one.dataset}" in one.sentence and " @ " not in one.sentence for one in found)


def test_a_grids_effect_names_both_levels_and_a_factorials_its_factor():
    study = study_of(np.linspace(0.04, 0.06, 12), kind="effect")
    study.record["contrasts"][0]["name"] = "knob=2 vs knob=1"
    assert verdicts.verdicts(study)[0].sentence.startswith(
        "knob=2 is 5.0 points above knob=1, over all other levels, in"
    )
    study.record["contrasts"][0]["name"] = "effect of knob"
    assert verdicts.verdicts(study)[0].sentence.startswith(
        "Changing knob from its first to its second level raises NMI"
    )
