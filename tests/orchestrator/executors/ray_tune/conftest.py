"""A bridge with room for two workers, and its clock."""

import time

import pytest
from recorded_workers import packed

from orchestrator.executors.ray_tune.bridge import Bridge


@pytest.fixture
def clock(monkeypatch):
    """Time that a test sets."""

    class Clock:
        now = time.monotonic()  # not a fixed number: what the bridge read before it was replaced counts too

    monkeypatch.setattr(time, "monotonic", lambda: Clock.now)
    return Clock


@pytest.fixture
def bridge_for(source_of):
    """A function: rounds of bundles -> (bridge with room for two, source)."""

    def made(*rounds, **options):
        bridge, source = Bridge(lambda: 2, packed, **options), source_of(*rounds)
        bridge.attach(source)
        return bridge, source

    return made
