"""What user code is given of a dataset, and how its clusters are scored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score

from orchestrator import discovery
from orchestrator.errors import DataError
from orchestrator.metric import Metric, also_computed
from trainables.adapters.alone import points_of, row_of, scores_of

DATA = discovery.load_dataset("gaussians:subset=80", "whole")


def test_points_come_without_labels():
    points = points_of(DATA)
    assert points._fields == ("x", "x_test", "n_clusters") and points.x.shape == (80, 16)


def test_clusters_of_any_whole_numbers_are_scored_and_noise_is_told():
    labels = np.where(DATA.inputs[:, 0].numpy() > 0, 70, -1)
    row = scores_of(labels, DATA, last=False)
    assert row["metric.nmi"] == pytest.approx(normalized_mutual_info_score(DATA.labels.numpy(), labels), abs=1e-6)
    assert row["diagnostic.noise"] == pytest.approx((labels == -1).mean())


@pytest.mark.parametrize("labels", [np.zeros(79), np.zeros((80, 1)), np.full(80, 0.5)])
def test_what_are_no_clusters_is_refused(labels):
    with pytest.raises(DataError, match="one whole number for each of 80 points"):
        scores_of(labels, DATA, last=False)


def test_a_share_above_one_is_refused():
    with pytest.raises(DataError, match="acc = 97, which is a share"):
        row_of({"acc": 97.0}, {"acc": Metric(written="ACC", percent=True)})
    assert row_of({"diagnostic.x": 2.0, "y": 3.0}, {}) == {"diagnostic.x": 2.0, "metric.y": 3.0}


@pytest.mark.parametrize("clusters", [2, 13])
def test_a_users_code_is_told_how_many_clusters_are_looked_for_and_scored_by_that(clusters):
    data = replace(discovery.load_dataset("digits:subset=80", "whole"), clusters=clusters)
    assert points_of(data).n_clusters == clusters
    asked = []
    look = Metric(written="clusters", compute=lambda scored: asked.append(scored.n_clusters))
    with also_computed("_clusters", look):
        row = scores_of(np.arange(80) % 2, data, last=True)
    assert asked == [clusters] and row["metric.n_clusters_used"] == 2
