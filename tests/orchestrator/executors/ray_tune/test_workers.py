"""Idle workers: kept where the cluster is our own, returned where others use it, first of all to be used."""

from recorded_workers import FINISHED, Worker, begun, packed

from orchestrator.executors.ray_tune.bridge import Bridge
from orchestrator.executors.ray_tune.parcel import Parcel
from orchestrator.executors.ray_tune.workers import RETURN_SECONDS


def test_a_task_for_an_idle_worker_does_not_start_another_one(bridge_for, bundles, source_of):
    bridge, _ = bridge_for(bundles(1))
    number, _ = begun(bridge)
    assert not bridge.take(number, FINISHED)
    bridge.attach(source_of(bundles(1)))
    assert bridge.next_parcel() is None
    assert bridge.take(number, b"")
    assert bridge.next_parcel() is not None
    assert bridge.next_parcel() is None


def test_a_worker_that_is_idle_for_long_is_returned_where_others_use_the_cluster(bridge_for, bundles, clock):
    bridge, _ = bridge_for(bundles(2), bundles(2, scale=2.0), keep_seconds=RETURN_SECONDS)
    (long, _), (short, _) = begun(bridge), begun(bridge)
    assert not bridge.take(short, FINISHED)  # the next round waits for the long one
    clock.now += RETURN_SECONDS - 1
    assert not bridge.take(short, b"")
    clock.now += 2
    assert bridge.take(short, b"")
    assert bridge.next_parcel() is None  # and none is started in its place
    assert bridge.take(long, FINISHED)
    begun(bridge)
    assert bridge.next_parcel() is not None  # before there is work again


def test_an_idle_worker_of_a_ray_of_our_own_stays(bridge_for, bundles, clock):
    bridge, _ = bridge_for(bundles(2), bundles(2, scale=2.0))
    begun(bridge)
    short, _ = begun(bridge)
    assert not bridge.take(short, FINISHED)
    clock.now += 1e6
    assert not bridge.take(short, b"")


def test_workers_started_in_advance_count_as_idle(bridge_for, source_of, bundles):
    bridge = Bridge(lambda: 2, packed, warm=lambda number: Parcel(number) if number <= 3 else None)
    numbers = [bridge.next_parcel().number for _ in range(2)]
    assert bridge.next_parcel() is None
    assert not bridge.take(numbers[0], b"")
    bridge.attach(source_of(bundles(2)))
    assert bridge.next_parcel() is None
    bridge.started(numbers[1], Worker())
    assert bridge.take(numbers[0], b"")
    assert bridge.next_parcel().content[0] is not None
