"""Boundaries in the plane come out of the rows again: the largest sum is the cluster that the method gave a point."""

import pytest
import torch

from trainables.data.dataset import Dataset
from trainables.diagnostics.plane import MOST_CLUSTERS, nearest_means, of_plane
from trainables.methods.entropy import EntropyClustering, EntropyConfig
from trainables.methods.kmeans import KMeansClustering, KMeansConfig

CPU = torch.device("cpu")


def heaps(n_features=2, n_classes=3):
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(n_classes).repeat(40)
    centres = 3.0 * torch.randn(n_classes, n_features, generator=generator)
    points = centres[labels] + torch.randn(len(labels), n_features, generator=generator)
    return Dataset("heaps", points - points.mean(0), labels, n_classes)


def trained(method, config, data):
    found = method([config], [0], data, CPU)
    for _ in range(5):
        found.fit_epoch()
    return found, found.evaluate(True)[0]


def clusters_of_row(row, points, n_clusters):
    sides = [[row[f"diagnostic.plane_{label}_{part}"] for part in ("x", "y", "bias")] for label in range(n_clusters)]
    sides = torch.tensor(sides)
    return (points @ sides[:, :2].T + sides[:, 2]).argmax(1)


def test_the_rows_of_a_linear_head_give_its_clusters_back():
    data = heaps()
    method, row = trained(EntropyClustering, EntropyConfig(lr=1.0, batch_size=40, n_epochs=5), data)
    own = torch.cat(list(method.head.outputs(method.scored)), 2)[0].argmax(0)
    assert torch.equal(clusters_of_row(row, data.inputs, 3), own)


def test_the_rows_of_kmeans_give_its_clusters_back():
    data = heaps()
    method, row = trained(KMeansClustering, KMeansConfig(n_epochs=5), data)
    assert torch.equal(clusters_of_row(row, data.inputs, 3), method.members[0].labels)


@pytest.mark.parametrize("method", [(EntropyClustering, EntropyConfig), (KMeansClustering, KMeansConfig)])
@pytest.mark.parametrize(("n_features", "n_classes"), [(3, 3), (2, MOST_CLUSTERS + 1)])
def test_other_data_have_no_such_columns(method, n_features, n_classes):
    _, row = trained(method[0], method[1](n_epochs=5), heaps(n_features, n_classes))
    assert not [name for name in row if "plane" in name]


def test_a_cluster_without_points_is_the_largest_nowhere():
    points = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    labels = (points[:, 0] > 0).long() * 2
    weight, bias = nearest_means(points, labels, 3)
    found = (points @ weight[0].T + bias[0]).argmax(1)
    assert not (found == 1).any()
    assert all(bool(torch.isfinite(column).all()) for column in of_plane(weight, bias).values())
