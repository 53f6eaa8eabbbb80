"""Edges of clusters in the plane lie where the largest sum changes, and nowhere else; an oracle looks at a grid."""

import numpy as np
import pytest

from analysis.figures.boundaries import edges_of

LOW, HIGH = np.array([-1.0, -2.0]), np.array([1.5, 1.0])


def sums(sides, points):
    return points @ sides[:, :2].T + sides[:, 2]


def crossings(sides, edges, start, end):
    """Return how many edges a straight way crosses."""
    crossed = 0
    for first, second in edges:
        matrix = np.column_stack([end - start, first - second])
        along, across = np.linalg.solve(matrix, first - start)
        crossed += 0 < along < 1 and 0 < across < 1
    return crossed


@pytest.mark.parametrize("n_clusters", [2, 3, 4, 7])
def test_on_an_edge_two_sums_are_the_largest_and_it_ends_in_the_box(n_clusters):
    sides = np.random.default_rng(n_clusters).normal(size=(n_clusters, 3))
    edges = edges_of(sides, LOW, HIGH)
    assert len(edges)
    for share in (0.05, 0.5, 0.95):
        ranked = np.sort(sums(sides, edges[:, 0] * share + edges[:, 1] * (1 - share)), axis=1)
        assert ranked[:, -1] == pytest.approx(ranked[:, -2])
    assert (edges > LOW - 1e-9).all() and (edges < HIGH + 1e-9).all()


@pytest.mark.parametrize("n_clusters", [2, 3, 5])
def test_a_way_between_two_points_crosses_an_edge_just_when_their_clusters_differ(n_clusters):
    random = np.random.default_rng(n_clusters)
    sides = random.normal(size=(n_clusters, 3))
    edges = edges_of(sides, LOW, HIGH)
    ends = random.uniform(LOW, HIGH, size=(200, 2, 2))
    for start, end in ends:
        way = start + np.linspace(0, 1, 20_001)[:, None] * (end - start)
        changes = np.count_nonzero(np.diff(sums(sides, way).argmax(axis=1)))
        assert crossings(sides, edges, start, end) == changes


def test_one_cluster_equal_clusters_and_one_that_has_no_region_have_no_edges():
    one = np.array([[1.0, 2.0, 3.0]])
    assert edges_of(one, LOW, HIGH).shape == (0, 2, 2)
    assert edges_of(np.repeat(one, 2, axis=0), LOW, HIGH).shape == (0, 2, 2)
    assert edges_of(np.vstack([one, one - [0.0, 0.0, 1.0]]), LOW, HIGH).shape == (0, 2, 2)
    assert edges_of(np.zeros((0, 3)), LOW, HIGH).shape == (0, 2, 2)


def test_lines_along_the_sides_of_the_box_are_cut_off_at_it():
    sides = np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    assert edges_of(sides, LOW, HIGH).tolist() == [[[0.0, -2.0], [0.0, 1.0]]]
    assert len(edges_of(sides + np.array([[0.0, 0.0, 9.0], [0.0, 0.0, 0.0]]), LOW, HIGH)) == 0
