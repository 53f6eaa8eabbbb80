"""Starts of centroids: each kind is what it says, drawn from the member's own stream."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from orchestrator.errors import RequestError
from trainables.heads.centroid_inits import CENTROID_INITS, initial_centroids
from trainables.networks import Network, build
from trainables.randomness import Streams

SEEDS = [3, 9, 4]


def points() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(50, 5, generator=generator) + 6.0 * torch.arange(50)[:, None].remainder(4)


def start(kind: str, seeds: list[int], k: int = 4) -> tuple[torch.Tensor, Network]:
    encoder = build("mlp", (5,), Streams(seeds, "init.encoder"), out_features=7, hidden=(16,), norm=True)
    return initial_centroids(kind, encoder, points(), k, Streams(seeds, "init.centroids")), encoder


@pytest.mark.parametrize("kind", CENTROID_INITS)
def test_a_member_starts_the_same_alone_and_in_a_bundle(kind: str) -> None:
    bundle, _ = start(kind, SEEDS)
    assert bundle.shape == (3, 4, 7)
    for place, seed in enumerate(SEEDS):
        assert torch.equal(start(kind, [seed])[0][0], bundle[place])
    assert not torch.equal(bundle[0], bundle[1])


def test_first_features_are_those_of_the_first_inputs_in_training_mode() -> None:
    centroids, _ = start("first_features", [3])
    fresh = build("mlp", (5,), Streams([3], "init.encoder"), out_features=7, hidden=(16,), norm=True)
    assert torch.equal(centroids[0], fresh(points()[None])[0, :4])


@pytest.mark.parametrize("kind", ["random_features", "kmeans_plus_plus"])
def test_centroids_taken_from_features_are_distinct_features(kind: str) -> None:
    centroids, _ = start(kind, [3])
    fresh = build("mlp", (5,), Streams([3], "init.encoder"), out_features=7, hidden=(16,), norm=True)
    features = fresh(points()[None])[0].detach()
    nearest = torch.cdist(centroids[0], features)
    assert float(nearest.min(1).values.max()) < 1e-3
    assert len(set(nearest.argmin(1).tolist())) == 4


def test_kmeans_finds_the_groups_of_the_features() -> None:
    centroids, _ = start("kmeans", [3])
    fresh = build("mlp", (5,), Streams([3], "init.encoder"), out_features=7, hidden=(16,), norm=True)
    features = fresh(points()[None])[0].detach()
    nearest = torch.cdist(features, centroids[0]).argmin(1)
    for group in range(4):
        assert len(set(nearest[group::4].tolist())) == 1


def test_more_clusters_than_points_are_refused() -> None:
    with pytest.raises(RequestError, match="51 clusters, allowed: at most the 50 points there are"):
        start("normal", [0], 51)


def test_k_means_starts_have_the_same_bits_whatever_was_imported_first() -> None:
    code = (
        "import sys; exec(f'import {sys.argv[1]}')\n"
        "import torch; torch.set_num_threads(1)\n"  # which scikit-learn's own threads do not hear of
        "from trainables.heads.centroid_inits import initial_centroids\n"
        "from trainables.networks import build; from trainables.randomness import Streams\n"
        "points = torch.randn(2048, 64, generator=torch.Generator().manual_seed(0))\n"
        "encoder = build('mlp', (64,), Streams([1], 'e'), out_features=16, hidden=(16,), norm=True)\n"
        "for kind in ('kmeans_plus_plus', 'kmeans'):\n"
        "    found = initial_centroids(kind, encoder, points, 10, Streams([3], 'c'))\n"
        "    print(found.double().sum().item().hex())"
    )
    found = set()
    free = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    for first in ("torch", "sklearn.cluster"):
        command = [sys.executable, "-c", code, first]
        found.add(subprocess.run(command, capture_output=True, text=True, check=True, env=free).stdout)
    assert len(found) == 1 and len(found.pop().split()) == 2
