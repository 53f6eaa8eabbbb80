"""Whether this process still belongs to its cluster: looked at now and then, and joined again where it was expelled."""

import time

import pytest
from ray.exceptions import RaySystemError

from orchestrator.errors import OrchestratorError
from orchestrator.executors.ray_cluster.membership import CHECK_SECONDS, MOST_FALLS, Membership


class Cluster:
    """Somebody else's cluster, which counts what it is asked."""

    def __init__(self, *, local=False):
        self.local, self.expelled, self.node = local, False, "ours"
        self.checks = self.joins = 0

    def check(self):
        self.checks += 1

    def join_again(self):
        self.joins += 1
        self.expelled = True


class Capacity:
    """What a cluster answers."""

    def __init__(self, *living):
        self.living, self.answered_at, self.looks = frozenset(living), 0.0, 0

    def look(self):
        self.looks += 1


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

    monkeypatch.setattr(time, "monotonic", lambda: Clock.now)
    return Clock


def test_a_cluster_is_looked_at_now_and_then(clock):
    cluster, capacity = Cluster(), Capacity("ours")
    membership = Membership("10.0.0.1:6379", capacity)
    for _ in range(3):
        capacity.answered_at = clock.now
        membership.check(cluster)
    assert (cluster.checks, capacity.looks, cluster.joins) == (1, 1, 0)
    clock.now += CHECK_SECONDS + 0.1
    capacity.answered_at = clock.now
    membership.check(cluster)
    assert (cluster.checks, capacity.looks, cluster.joins) == (2, 2, 0)


def test_a_cluster_that_counts_our_node_as_dead_is_joined_again_once(clock):
    cluster, capacity = Cluster(), Capacity("other")
    membership = Membership("10.0.0.1:6379", capacity)
    for _ in range(3):
        clock.now += CHECK_SECONDS + 0.1
        capacity.answered_at = clock.now
        membership.check(cluster)
    assert (cluster.checks, cluster.joins) == (3, 1)


def test_a_ray_of_our_own_is_not_asked_whether_it_knows_us(clock):
    cluster, capacity = Cluster(local=True), Capacity("other")
    Membership("local", capacity).check(cluster)
    assert (cluster.checks, capacity.looks, cluster.joins) == (1, 0, 0)


def test_what_the_check_of_a_cluster_that_is_gone_raises_is_raised(clock):
    cluster = Cluster()

    def gone():
        raise OrchestratorError("gone")

    cluster.check = gone
    with pytest.raises(OrchestratorError, match="gone"):
        Membership("10.0.0.1:6379", Capacity()).check(cluster)


def test_tune_may_be_lost_to_a_network_some_times_and_to_nothing_else():
    cluster, away = Cluster(), RaySystemError("the connection broke")
    membership = Membership("10.0.0.1:6379", Capacity())
    assert [membership.may_join_again(cluster, away) for _ in range(MOST_FALLS + 1)] == [True] * MOST_FALLS + [False]
    assert not Membership("10.0.0.1:6379", Capacity()).may_join_again(cluster, ValueError("a bug of ours"))
    assert not Membership("local", Capacity()).may_join_again(Cluster(local=True), away)


def test_being_expelled_is_no_fall_of_ours():
    cluster, away = Cluster(), RaySystemError("the connection broke")
    cluster.expelled = True
    membership = Membership("10.0.0.1:6379", Capacity())
    assert all(membership.may_join_again(cluster, away) for _ in range(3 * MOST_FALLS))
