"""Which idle worker takes a bundle: one on a node that has its dataset, if one is idle, for a while."""

from dataclasses import replace

import pytest

from orchestrator.executors.ray_tune import locality
from orchestrator.executors.ray_tune.locality import PATIENCE_SECONDS, Nearness
from orchestrator.trial import Bundle, BundleTask, TrialSpec

SPEC = TrialSpec(method="toy", method_version=1, config={}, dataset="digits", dataset_digest="d", n_epochs=1)
DIGITS = BundleTask(bundle=Bundle((SPEC,)))
MOONS = BundleTask(bundle=Bundle((replace(SPEC, dataset="moons"),)))


class Clock:
    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(locality, "time", clock)
    return clock


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
