"""Whether a cluster is there and knows us, judged by its answers and by a knock at its door."""

import socket
import time

import pytest

from orchestrator.errors import OrchestratorError
from orchestrator.executors.ray_cluster import contact as module
from orchestrator.executors.ray_cluster.contact import Contact, State


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

    monkeypatch.setattr(module.time, "monotonic", lambda: Clock.now)
    return Clock


class Knocked(Contact):
    """Knocks at once, not in a thread."""

    def _look(self):
        self._ask()


@pytest.fixture
def contact(clock, monkeypatch):
    """A function: what a knock brings -> a `Contact`."""
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    return lambda accepts: Knocked("10.0.0.1:6379", lambda place: accepts)


def test_a_cluster_that_answers_and_counts_our_node_is_joined(contact, clock):
    assert contact(True).judge(clock.now, {"ours", "other"}, "ours") is State.JOINED
    assert contact(True).judge(clock.now, set(), "ours") is State.JOINED  # nothing is known yet


def test_a_cluster_that_does_not_count_our_node_has_expelled_us(contact, clock):
    assert contact(True).judge(clock.now, {"other"}, "ours") is State.EXPELLED


def test_old_answers_expel_nobody(contact, clock):
    assert contact(None).judge(clock.now - 30, {"other"}, "ours") is State.DEAF


def test_a_network_that_is_away_is_borne_for_long_and_not_for_ever(contact, clock):
    judged, answered = contact(None), clock.now
    clock.now += module.GONE_SECONDS - 1
    assert judged.judge(answered, {"ours"}, "ours") is State.DEAF
    clock.now += 2
    with pytest.raises(
        OrchestratorError, match=r"'10\.0\.0\.1:6379' gives no answer for 901 s; nothing complete is lost"
    ):
        judged.judge(answered, {"ours"}, "ours")


def test_a_head_whose_machine_refuses_connections_is_gone_in_a_minute(contact, clock):
    judged, answered = contact(False), clock.now
    clock.now += 10
    assert judged.judge(answered, {"ours"}, "ours") is State.DEAF
    clock.now += module.REFUSED_SECONDS + 1
    with pytest.raises(OrchestratorError, match="refuses connections"):
        judged.judge(answered, {"ours"}, "ours")


def test_a_head_that_came_back_in_time_is_there(contact, clock):
    judged, answered = contact(False), clock.now
    clock.now += 50
    judged.judge(answered, {"ours"}, "ours")
    assert judged.judge(clock.now, {"ours"}, "ours") is State.JOINED
    clock.now += 50
    assert judged.judge(clock.now - 20, {"ours"}, "ours") is State.DEAF


def test_a_knock_tells_an_open_door_from_a_closed_one():
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
        assert module.accepts_connections(place) is True
    assert module.accepts_connections(place) is False


def test_a_knock_that_is_not_answered_holds_nobody(monkeypatch):
    began = time.monotonic()
    judged = Contact("10.0.0.1:6379", lambda place: time.sleep(0.5))
    judged.judge(began - 30, {"ours"}, "ours")
    assert time.monotonic() - began < 0.4
