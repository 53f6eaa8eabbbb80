from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.data import study_view
from analysis.verdicts import verdicts
from orchestrator.designs.base import Contrast


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


def test_an_effect_is_said_with_its_size_seeds_interval_and_corrected_p():
    (found,) = verdicts.verdicts(study_of(np.linspace(0.04, 0.06, 12)))
    assert (found.word, found.works, found.words) == ("effect", "all work", "effect")
    assert found.sentence.startswith(
        "level is better than baseline in NMI on most seeds where both work: mean difference +5.0 points, better on 12 "
        "of 12 seeds (95 % interval +4."
    )
    assert "corrected p < 0.001)." in found.sentence
    assert "Both work on all 12 seeds, which still allows 22 % where only one does." in found.sentence


def test_a_difference_that_is_not_shown_of_most_seeds_is_no_claim_of_them():
    gains = np.r_[np.full(4, -0.01), np.linspace(0.03, 0.08, 8)]
    (found,) = verdicts.verdicts(study_of(gains))
    assert found.word == "effect" and not found.judgement.living.most
    assert found.sentence.startswith(
        "level differs from baseline in NMI where both work: mean difference +3.3 points, "
    )
    assert "better on 8 of 12 seeds" in found.sentence
    assert "That it is better on most seeds is not shown." in found.sentence
    (found,) = verdicts.verdicts(study_of(gains, kind="trend"))
    assert "to its last level changes NMI where both work: mean difference +3.3" in found.sentence


def test_smaller_is_better_of_a_loss_and_higher_of_what_has_no_better_end():
    for metric, said in (("loss", "worse than baseline in loss"), ("n_clusters_used", "higher than baseline in")):
        study = study_of(np.linspace(0.04, 0.06, 12))
        study.rows[f"metric.{metric}"] = study.rows["metric.nmi"]
        assert said in verdicts.verdicts(study, metric)[0].sentence


def test_a_trend_raises_or_lowers():
    (found,) = verdicts.verdicts(study_of(np.linspace(-0.06, -0.04, 12), kind="trend"))
    assert found.sentence.startswith(
        "Raising knob from its first to its last level lowers NMI on most seeds where both work: mean difference "
        "−5.0 points, worse on 12 of 12 "
    )


def test_what_is_not_shown_is_called_inconclusive():
    (found,) = verdicts.verdicts(study_of(ALTERNATING, margin=0.005))
    assert found.word == "inconclusive"
    assert "level is inconclusive against baseline" in found.sentence
    assert "A typical difference beyond ±0.5 is not excluded." in found.sentence


def test_no_difference_is_that_of_the_typical_seed_with_what_no_collapse_allows():
    (found,) = verdicts.verdicts(study_of(0.01 * ALTERNATING, margin=0.01))
    assert found.word == "no difference"
    assert "makes no typical difference to NMI beyond ±1.0 points" in found.sentence
    assert "equivalence p" in found.sentence and "still allows 22 %" in found.sentence


def test_a_small_real_effect_is_called_both():
    (found,) = verdicts.verdicts(study_of(np.linspace(0.001, 0.002, 12), margin=0.01))
    assert found.word == "effect within margin" and "within the margin of ±1.0" in found.sentence


def test_too_few_pairs_are_said_not_to_be_able_to_decide():
    (found,) = verdicts.verdicts(study_of(0.05, n=4))
    assert "cannot reach 0.05" in found.sentence and found.word == "inconclusive"


def test_one_pair_is_not_tested():
    (found,) = verdicts.verdicts(study_of(0.05, n=1))
    assert found.word == "not tested" and "1 seed on which both work" in found.sentence


def test_where_no_trial_has_ended_nothing_is_said_to_work():
    study = study_of(0.05)
    (found,) = verdicts.verdicts(replace(study, rows=study.rows[study.rows["arm"] == "baseline"]))
    assert (found.word, found.works, found.words) == ("not tested", "not known", "not tested")
    assert "How often they work is not known." in found.sentence


def test_how_often_it_works_stands_beside_how_good_it_is():
    (found,) = verdicts.verdicts(study_of(np.r_[np.full(3, -0.4), 0.001 * np.arange(9)], collapsed=(0, 1, 2)))
    assert (found.word, found.works, found.words) == ("effect", "not told apart", "effect")
    assert "better on 8 of 9 seeds, equal on 1" in found.sentence
    assert (
        "How often they work is not told apart: collapse or failure on 3 of 12 seeds against 0 (3 differ, 5 all one "
        "way are needed; up to 53 % may)." in found.sentence
    )
    assert "Mean over all complete pairs, collapsed ones included: −9.7 (t interval" in found.sentence


def test_an_arm_that_works_less_often_is_said_to_and_where_it_never_does_nothing_else_is():
    (found,) = verdicts.verdicts(study_of(np.r_[np.full(6, -0.4), np.linspace(0.01, 0.02, 6)], collapsed=range(6)))
    assert found.words == "works less often; effect"
    assert "It works less often: collapse or failure on 6 of 12 seeds against 0 (exact, paired; " in found.sentence
    (found,) = verdicts.verdicts(study_of(-0.4, collapsed=range(12)))
    assert found.words == "works less often" and "0 seeds on which both work" in found.sentence


def test_one_difference_that_outweighs_all_others_is_not_the_verdict():
    (found,) = verdicts.verdicts(study_of(np.r_[np.linspace(0.001, 0.003, 11), -0.627]))
    assert found.word == "effect" and found.judgement.estimate < 0
    assert found.sentence.startswith(
        "level is better than baseline in NMI on most seeds where both work: mean difference −5.0 points, better on 11"
    )
    assert "interval of the median" in found.sentence and "so signs were counted." in found.sentence
    assert "Mean and majority of the seeds point opposite ways" in found.sentence


def test_a_seed_that_is_missing_is_named_and_never_shifts_the_pairing():
    study = study_of(0.05)
    rows = study.rows[~((study.rows["arm"] == "level") & (study.rows["seed"] == 4))]
    (found,) = verdicts.verdicts(replace(study, rows=rows))
    assert "Left out, because a trial is missing: seed 4." in found.sentence
    assert found.judgement.estimate == pytest.approx(0.05)


def test_the_heading_says_what_is_promised_over_what():
    said = verdicts.heading(study_of(0.05, margin=0.01))
    assert "at most 5 % claim any difference that is not there, over both parts" in said
    assert "of 1 contrast; and at most 5 % claim an absence of one that is there. Intervals are of one" in said
    assert "absence" not in verdicts.heading(study_of(0.05))


def test_an_exploratory_study_says_so_before_anything_else():
    assert verdicts.heading(study_of(0.05, exploratory=True)).startswith("Exploratory, so no claim: ")


def test_another_precision_than_float32_is_named():
    study = study_of(0.05)
    assert "float32" not in verdicts.heading(study)
    study.record["precision"] = "bfloat16"
    assert "protocol whole, forward passes in bfloat16, 12 paired" in verdicts.heading(study)


def test_looks_by_hand_are_paid_for():
    looks = [{"n_seeds": 6, "planned": False}, {"n_seeds": 12, "planned": True}]
    once, twice = study_of(np.linspace(0.01, 0.06, 12)), study_of(np.linspace(0.01, 0.06, 12), looks_taken=looks)
    twice.record["seeds"]["planned"] = [12]
    assert verdicts.verdicts(twice)[0].judgement.p_corrected > verdicts.verdicts(once)[0].judgement.p_corrected


def test_the_look_that_decided_is_named_and_one_that_was_contradicted_says_so():
    looks = [{"n_seeds": 12, "planned": True}, {"n_seeds": 20, "planned": False}]
    early = np.linspace(0.01, 0.03, 12)
    confirmed = study_of(np.r_[early, np.linspace(0.0, 0.05, 8)], n=20, looks_taken=looks)
    turned = study_of(np.r_[early, np.full(8, -0.2)], n=20, looks_taken=looks)
    for study in (confirmed, turned):
        study.record["seeds"] |= {"planned": [12], "file": [20]}
    (found,) = verdicts.verdicts(confirmed)
    assert found.word == "effect" and "are of the look at 12 seeds, which decided" in found.sentence
    assert found.judgement.estimate == pytest.approx(0.02)
    (found,) = verdicts.verdicts(turned)
    assert found.word == "inconclusive" and "later seeds point the other way" in found.sentence


def test_the_margin_is_for_the_metric_that_it_was_stated_for():
    study = study_of(0.0, margin=0.01)
    study.rows["metric.loss"] = study.rows["metric.nmi"]
    assert verdicts.verdicts(study, "loss")[0].judgement.equivalence is None


def test_the_tally_counts_the_decisions_of_both_parts(synthetic):
    found = verdicts.verdicts(study_view.load(synthetic.results, synthetic.name))
    said = verdicts.tally(found, "paper")
    lead, living, working = re.fullmatch(r"(.*), where both work: (.*); how often they work: (.*)\.", said).groups()
    assert lead == "At the paper tier, of 7 contrasts"
    for part in (living, working):
        assert sum(int(words.split()[0]) for words in re.split(", | and ", part)) == 7


def test_datasets_are_named_where_there_are_several(two_datasets):
    found = verdicts.verdicts(study_view.load(two_datasets.results, two_datasets.name))
    assert len(found) == 14
    assert all(f" on {one.dataset}" in one.sentence and " @ " not in one.sentence for one in found)


def test_a_grids_effect_names_both_levels_and_a_factorials_its_factor():
    study = study_of(np.linspace(0.04, 0.06, 12), kind="effect")
    study.record["contrasts"][0]["name"] = "knob=2 vs knob=1"
    assert verdicts.verdicts(study)[0].sentence.startswith(
        "knob=2 is better than knob=1, over all other levels, in NMI on most seeds where both work: mean difference +"
    )
    study.record["contrasts"][0]["name"] = "effect of knob"
    assert verdicts.verdicts(study)[0].sentence.startswith(
        "Changing knob from its first to its second level raises NMI on most seeds"
    )


def test_the_first_side_of_a_contrast_is_the_arm_that_counts_positively():
    assert verdicts.first_side(Contrast(name="b vs a", weights={"a": -1.0, "b": 1.0})) == "b"
    assert verdicts.first_side(Contrast(name="nothing", weights={"a": -1.0})) == ""


@pytest.mark.parametrize(
    ("sought", "labelled", "says"),
    [
        ([4, 10], [60, 60], "look for 4 clusters of digits, which has 10 classes: no clustering reaches 100 %"),
        ([25, 10], [60, 60], "chance is that of 25 clusters."),
        ([10, 10], [60, 60], ""),
        ([4, 10], [0, 60], ""),
    ],
)
def test_another_number_of_clusters_than_of_classes_is_said_with_what_it_means_for_scores(sought, labelled, says):
    study = study_of(0.05)
    study.record.update(sought={"digits": sought}, labelled={"digits": labelled})
    found = verdicts.heading(study)
    assert says in found and (says or "clusters of digits" not in found)
