"""What is kept of a member of a bundle is what is kept of the same trial alone, and keeping it changes nothing."""

import io

import numpy as np
import pytest
from safetensors.torch import load

from orchestrator import discovery
from orchestrator.knobs import canonical, identity, knobs_of
from orchestrator.metric import also_computed, undeclared
from orchestrator.row_table import RowTable
from orchestrator.trial import Bundle, BundleTask, TrialSpec
from trainables.training.loop import train

DATA = discovery.load_dataset("digits:subset=120", "whole")


def specs(name, seeds=(0, 1), **knobs):
    method = discovery.method(name)
    config = identity(knobs_of(method.Config), canonical(knobs_of(method.Config), knobs, name))
    fields = {"method": name, "method_version": method.version, "config": config, "dataset": "digits:subset=120"}
    return tuple(TrialSpec(**fields, dataset_digest=DATA.digest, seed=seed, n_epochs=2) for seed in seeds)


def kept(members, places=None, n_epochs=2):
    """Return (trial_id -> files, rows) of a bundle."""
    asked = tuple(range(len(members))) if places is None else places
    found, table = {}, RowTable()
    for report in train(
        discovery.method(members[0].method), BundleTask(bundle=Bundle(members), kept_members=asked), DATA
    ):
        found |= report.kept
        table.add(report.rows)
    return found, {one.trial_id: table.curves("loss")[one.trial_id] for one in members}


@pytest.mark.parametrize("name", ["entropy", "kmeans", "secu", "hard_stream"])
def test_files_of_a_member_are_those_of_the_trial_alone(name):
    members = specs(name)
    together, _ = kept(members)
    alone, _ = kept(members[1:])
    own = members[1].trial_id
    assert together[own] == alone[own]
    assert together[members[0].trial_id] != together[own]


def test_keeping_changes_no_row_and_only_what_is_asked_for_is_kept():
    members = specs("secu")
    files, rows = kept(members, places=(1,))
    none, same = kept(members, places=())
    assert none == {}
    assert set(files) == {members[1].trial_id}
    assert rows == same


def test_assignments_score_what_the_row_says():
    from sklearn.metrics import normalized_mutual_info_score

    (spec,) = specs("entropy", seeds=(3,))
    reports = list(train(discovery.method("entropy"), BundleTask(bundle=Bundle((spec,)), kept_members=(0,)), DATA))
    (outcome,), files = reports[-1].outcomes, reports[-1].kept[spec.trial_id]
    clusters = np.load(io.BytesIO(files["assignments"]))
    assert clusters.shape == (120,)
    assert normalized_mutual_info_score(DATA.labels.numpy(), clusters) == pytest.approx(
        outcome.metrics["nmi"], abs=1e-9
    )
    assert load(files["weights"])


def test_learned_features_are_kept_as_embeddings():
    (spec,) = specs("secu", seeds=(0,))
    files, _ = kept((spec,))
    embedded = np.load(io.BytesIO(files[spec.trial_id]["embeddings"]))
    assert embedded.shape[0] == 120
    assert np.isfinite(embedded).all()


def test_a_metric_is_added_within_a_block_only():
    with also_computed("_mine", undeclared("mine"), alone=True):
        assert set(discovery.metrics(())) == {"_mine"}
    assert "_mine" not in discovery.metrics(())
