"""What a report says of its origin, counted by hand on the synthetic study."""

from dataclasses import replace

import pytest

from analysis.data import provenance, study_view


@pytest.fixture(scope="module")
def study(synthetic):
    return study_view.load(synthetic.results, synthetic.name)


def test_facts_name_code_versions_data_and_machine_and_leave_out_what_nobody_knows(study):
    facts = dict(provenance.facts(study))
    assert facts["commit of the checkout"] == "abc"
    assert facts["code of the methods (digest)"] == "entropy c0de, kmeans c0de"
    assert facts["datasets (digest)"] == "digits d"
    assert facts["device, threads"] == "cpu, 1"
    assert facts["versions"] == "numpy 2"
    assert facts["epochs"] == "10"
    assert facts["members of bundles trained again alone"] == "2, of which 1 gave the same numbers"
    assert "made once, shared by trials" not in facts


def test_stages_are_counted_over_the_trials_that_build_on_them(study):
    made = '[{"name": "simclr", "key": "k", "drawn": true}]'
    rows = study.rows.assign(stages="")
    rows.loc[rows.index[:3], "stages"] = made
    facts = dict(provenance.facts(replace(study, rows=rows)))
    assert facts["made once, shared by trials"] == "simclr k (3 trials, made with a seed)"


def test_the_content_digest_follows_record_and_rows_and_nothing_else(study, synthetic):
    digest = provenance.content_digest(study)
    assert provenance.content_digest(study_view.load(synthetic.results, synthetic.name)) == digest
    assert provenance.content_digest(replace(study, record={**study.record, "alpha": 0.01})) != digest
    moved = study.rows.copy()
    moved.loc[0, "metric.nmi"] += 1e-14
    assert provenance.content_digest(replace(study, rows=moved)) != digest


def test_costs_are_those_of_the_trials_that_were_trained_each_counted_once(study):
    lines = {(phase, method): rest for phase, method, *rest in provenance.cost_rows(study)}
    assert lines[("search", "entropy")] == ["96", "0.8", "76.8", "0", "191"]
    assert lines[("confirm", "kmeans")] == ["12", "0.8", "9.6", "0", "191"]
    assert lines[("confirm", "entropy")][0] == "83"  # 7 arms on 12 seeds, one of which was never trained
    doubled = replace(study, rows=study.rows.loc[study.rows.index.repeat(2)])
    assert provenance.cost_rows(doubled) == provenance.cost_rows(study)


def test_failures_are_named_by_arm_seed_kind_and_the_last_line_of_their_error(study):
    assert provenance.failure_rows(study) == [["update=epoch", "3", "diverged", "loss is NaN"]]
    rows = study.rows.assign(error="first\n" + "x" * 200 + "\n")
    ((*_, said),) = provenance.failure_rows(replace(study, rows=rows))
    assert said == "x" * 160
    assert provenance.failure_rows(study, most=0) == []


def test_the_summary_counts_every_state_and_what_collapsed(study):
    text = provenance.summary(study)
    assert text.startswith("192 trials: ") and "190 complete" in text and "1 failed" in text and "1 missing" in text
    collapsed = int(study.rows.drop_duplicates("trial_id")["collapsed"].sum())
    assert f", {collapsed} of the complete ones collapsed; 153 s of training." in text
