"""Which idle worker takes a bundle: one on a node that has its dataset, if one is idle, for a while."""

from dataclasses import replace

import pytest
from recorded_workers import FINISHED, begun, finished_on

from orchestrator.executors.ray_tune.locality import PATIENCE_SECONDS, Nearness
from orchestrator.trial import Bundle, BundleTask, FailureKind, TrialSpec

SPEC = TrialSpec(method="toy", method_version=1, config={}, dataset="digits", dataset_digest="d", n_epochs=1)
DIGITS = BundleTask(bundle=Bundle((SPEC,)))
MOONS = BundleTask(bundle=Bundle((replace(SPEC, dataset="moons"),)))


@pytest.fixture
def nearness(clock):
    nearness = Nearness()
    nearness.heard(1, "near", DIGITS)
    nearness.heard(2, "far", MOONS)
    return nearness


def test_a_worker_elsewhere_leaves_the_bundle_to_an_idle_one_that_is_near(nearness):
    assert nearness.leaves(2, {1, 2}, DIGITS)
    assert not nearness.leaves(1, {1, 2}, DIGITS)
    assert not nearness.leaves(2, {2}, DIGITS)  # nobody else is idle


def test_it_takes_the_bundle_after_a_while(nearness, clock):
    assert nearness.leaves(2, {1, 2}, DIGITS)
    clock.now += PATIENCE_SECONDS
    assert not nearness.leaves(2, {1, 2}, DIGITS)


def test_what_a_node_has_stays_when_the_worker_is_forgotten(nearness):
    nearness.forget(1)
    assert not nearness.leaves(2, {1, 2}, DIGITS)
    nearness.heard(3, "near", MOONS)
    assert nearness.leaves(2, {2, 3}, DIGITS)


def test_an_idle_worker_leaves_a_bundle_to_one_whose_node_has_the_dataset(bridge_for, bundles, source_of, clock):
    other = tuple(replace(one, specs=tuple(replace(spec, dataset="other") for spec in one.specs)) for one in bundles(1))
    bridge, _ = bridge_for([bundles(1)[0], *other])
    (first, _), (second, _) = begun(bridge), begun(bridge)
    bridge.take(first, finished_on("a"))
    bridge.take(second, finished_on("b"))
    again = tuple(replace(one, specs=tuple(replace(spec, seed=9) for spec in one.specs)) for one in other)
    bridge.attach(source_of(again))
    assert not bridge.take(first, b"")  # the other one's node has it
    assert bridge.take(second, b"")
    assert bridge.next_parcel().content[0].bundle == again[0]


def test_a_bundle_waits_for_the_nearer_worker_a_moment_and_not_for_one_that_is_gone(
    bridge_for, bundles, source_of, clock
):
    for gone in (False, True):
        bridge, _ = bridge_for(bundles(2))
        (first, _), (second, _) = begun(bridge), begun(bridge)
        bridge.take(first, finished_on("a"))
        assert not bridge.take(second, FINISHED)  # its node is unknown
        bridge.attach(source_of(bundles(1, scale=3.0)))
        assert not bridge.take(second, b"")
        if gone:
            bridge.died(first, FailureKind.INFRASTRUCTURE, "gone")
        else:
            clock.now += 2.1
        assert bridge.take(second, b"")
