"""What a run spends: workers from the first report on, devices by their names and shares."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.price.worker_seconds import WorkerSeconds


@pytest.fixture
def clock():
    return SimpleNamespace(now=0.0)


def counting(clock):
    return WorkerSeconds(lambda: clock.now)


def test_workers_count_from_the_first_report_on(clock):
    seconds = counting(clock)
    seconds.opened("one")
    seconds.opened("two")
    clock.now = 9.0
    seconds.heard("one")  # nine seconds of starting are nobody's training
    clock.now = 11.0
    seconds.closed("one")
    clock.now = 14.0
    assert seconds.busy_seconds == pytest.approx(2 * 2 + 3)
    entry = seconds.entry(5, "", None)
    assert (entry["workers"], entry["start_seconds"], entry["wall_seconds"], entry["seconds"]) == (2, 9, 14, 7)


def test_what_a_bundle_took_before_it_named_its_device_is_that_devices(clock):
    seconds = counting(clock)
    seconds.opened("one")
    seconds.heard("one", "A100")
    clock.now = 2.0
    seconds.opened("two")
    clock.now = 5.0
    assert seconds.device_seconds == {"A100": 5.0, "": 3.0}
    seconds.heard("two", "H100")
    assert seconds.device_seconds == {"A100": 5.0, "H100": 3.0}
    clock.now = 6.0
    seconds.closed("two")
    clock.now = 9.0
    assert seconds.device_seconds == {"A100": 9.0, "H100": 4.0}


def test_bundles_that_share_a_card_take_their_shares_of_it(clock):
    seconds = counting(clock)
    for name in ("one", "two", "three", "four"):
        seconds.opened(name, share=0.25)
        seconds.heard(name, "A100")
    clock.now = 8.0
    assert seconds.device_seconds == {"A100": 8.0}
    assert seconds.busy_seconds == 32.0


def test_a_report_of_a_bundle_that_is_not_under_way_counts_nothing(clock):
    seconds = counting(clock)
    seconds.heard("gone", "A100")
    clock.now = 5.0
    assert seconds.device_seconds == {}


EVENTS = st.lists(st.tuples(st.sampled_from(["open", "hear", "close"]), st.integers(0, 3), st.floats(0.0, 5.0)))


@given(EVENTS)
def test_seconds_of_devices_sum_to_those_of_workers(events):
    clock = SimpleNamespace(now=0.0)
    seconds, under_way = counting(clock), set()
    for event, number, passed in events:
        clock.now += passed
        name = f"bundle{number}"
        if event == "open" and name not in under_way:
            seconds.opened(name)
            under_way.add(name)
        elif event == "hear" and name in under_way:
            seconds.heard(name, f"card{number % 2}")
        elif event == "close" and name in under_way:
            seconds.closed(name)
            under_way.remove(name)
    assert sum(seconds.device_seconds.values()) == pytest.approx(seconds.busy_seconds, abs=1e-6)
    assert min(seconds.device_seconds.values(), default=0.0) >= 0.0
