"""A Lightning module is trained by the real Trainer, and what it logs becomes rows."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from own_trials import outcome_of, rows_of, said, spec_of

from orchestrator import discovery
from orchestrator.errors import DataError, RequestError
from orchestrator.knobs import Choice, Float
from orchestrator.own import lightning
from orchestrator.trial import TrialState

pytestmark = pytest.mark.skipif(find_spec("lightning") is None, reason="lightning is not installed")

DATA = "digits:subset=200"


@pytest.fixture
def mine(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "examples/own_lightning"))
    from module import Clusterer  # imports Lightning: seconds that whoever collects tests need not wait

    return lightning(Clusterer, knobs={"lr": Float(1e-4, 1, log=True), "balance": Choice(True, False)}, n_epochs=3)


def test_each_epoch_has_a_row_of_what_was_logged_and_scores_of_its_assignments(mine):
    found = said(spec_of(mine, dataset="digits:subset=200"))
    outcome = outcome_of(found)
    assert outcome.state is TrialState.COMPLETE, outcome.error
    assert sorted(rows_of(found, "loss")) == sorted(rows_of(found, "nmi")) == [1, 2, 3]


def test_a_trial_is_the_same_again_and_a_knob_counts(mine):
    losses = [rows_of(said(spec_of(mine, dataset="digits:subset=200", lr=lr)), "loss") for lr in (0.01, 0.01, 0.1)]
    assert losses[0] == losses[1] != losses[2]


def test_its_state_is_kept_and_assigns_new_points_by_its_predict_step(mine):
    spec, prediction = spec_of(mine, dataset=DATA), discovery.prediction()
    found = said(spec, kept_members=(0,))
    (kept,) = [one for report in found for one in report.kept.values()]
    data, method = discovery.load_dataset(DATA, "whole"), discovery.method(mine)
    points, own = data.inputs.numpy()[3:90], prediction.Kept(kept["weights"], None)
    clusters = prediction.clusters_by_own(method, spec, data, points, own)
    assert np.array_equal(clusters, np.load(io.BytesIO(kept["assignments"]))[3:90]) and len(set(clusters)) > 3
    with pytest.raises(RequestError, match="no weights are kept of the trial of Clusterer"):
        prediction.clusters_by_own(method, spec, data, points, prediction.Kept(None, None))
    with pytest.raises(DataError, match="do not fit Clusterer"):
        fewer = discovery.load_dataset("gaussians:subset=60", "whole")
        prediction.clusters_by_own(method, spec, fewer, fewer.inputs.numpy(), own)
