"""New points are assigned as the trial's method would have scored them, whatever their order and number."""

import io
from dataclasses import replace

import numpy as np
import pytest
from safetensors.torch import load, save

from orchestrator import discovery
from orchestrator.errors import DataError, RequestError
from orchestrator.knobs import canonical, identity, knobs_of
from orchestrator.trial import Bundle, BundleTask, TrialSpec
from trainables.training.loop import train
from trainables.training.prediction import clusters_of

WHOLE = discovery.load_dataset("digits:subset=120", "whole")
SPLIT = replace(
    WHOLE,
    inputs=WHOLE.inputs[:90],
    labels=WHOLE.labels[:90],
    test_inputs=WHOLE.inputs[90:],
    test_labels=WHOLE.labels[90:],
).under("split")


def trained(name, data):
    """Return (method, spec, kept files) of one trial."""
    method = discovery.method(name)
    config = identity(knobs_of(method.Config), canonical(knobs_of(method.Config), {}, name))
    spec = TrialSpec(
        method=name, method_version=method.version, config=config, dataset="d", dataset_digest=data.digest, n_epochs=2
    )
    files = {}
    for report in train(method, BundleTask(bundle=Bundle((spec,)), kept_members=(0,)), data):
        files |= report.kept
    return method, spec, files[spec.trial_id]


@pytest.mark.parametrize("name", ["kmeans", "entropy", "secu", "hard_regularization", "hard_stream"])
@pytest.mark.parametrize("data", [WHOLE, SPLIT], ids=["whole", "split"])
def test_the_scored_points_get_the_clusters_that_were_kept_in_any_order(name, data):
    method, spec, files = trained(name, data)
    known = np.load(io.BytesIO(files["assignments"]))
    points, order = data.eval_inputs.numpy(), np.random.default_rng(0).permutation(len(known))
    assert (clusters_of(method, spec, data, points, files["weights"]) == known).all()
    assert (clusters_of(method, spec, data, points[order[:7]], files["weights"]) == known[order[:7]]).all()
    assert (clusters_of(method, spec, data, points[order[:1]], files["weights"]) == known[order[:1]]).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", discovery.names("method"))
def test_every_method_assigns_new_points(name):
    method, spec, files = trained(name, WHOLE)
    known, points = np.load(io.BytesIO(files["assignments"])), WHOLE.eval_inputs.numpy()
    assert (clusters_of(method, spec, WHOLE, points[::-1].copy(), files["weights"]) == known[::-1]).all()


def test_weights_that_say_nothing_of_other_points_are_refused_whatever_their_number():
    method, spec, files = trained("kmeans", WHOLE)
    kept = load(files["weights"])
    without = save({name: part for name, part in kept.items() if "centres" not in name})
    assert len(kept) > len(load(without))
    for n_points in (1, 119, 120):
        with pytest.raises(RequestError, match="kmeans keeps the clusters of the points that it was given"):
            clusters_of(method, spec, WHOLE, WHOLE.inputs[:n_points].numpy(), without)


@pytest.mark.parametrize(
    "points", [np.zeros((3, 5)), np.full((2, 64), np.nan), np.zeros((0, 64)), np.zeros((2, 64), "U1")]
)
def test_points_of_another_form_are_refused(points):
    method, spec, files = trained("entropy", WHOLE)
    with pytest.raises(DataError, match="the new points"):
        clusters_of(method, spec, WHOLE, points, files["weights"])
