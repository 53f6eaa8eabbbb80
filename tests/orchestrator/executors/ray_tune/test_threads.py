"""Calls from one thread made in another."""

import threading

import pytest

from orchestrator.executors.ray_tune.threads import Relay, within


def _in_thread(function):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(function()))
    thread.start()
    return thread, answers


def test_without_a_server_a_call_is_made_at_once():
    assert Relay().call(max, 1, 2) == 2


def test_calls_are_made_in_the_serving_thread_in_order():
    relay, seen = Relay(), []

    def calls():
        started.wait()
        return [relay.call(lambda i=i: (seen.append(threading.get_ident()), i)[1]) for i in range(100)]

    started = threading.Event()
    thread, answers = _in_thread(calls)
    relay.serve(lambda: len(seen) == 100, started.set, lambda: None)
    thread.join()
    assert answers == [list(range(100))]
    assert set(seen) == {threading.get_ident()}


def test_what_a_call_raises_is_raised_where_it_was_asked_for():
    relay, begun, done = Relay(), threading.Event(), threading.Event()

    def ask():
        begun.wait()
        try:
            relay.call(int, "no number")
        except ValueError as error:
            done.set()
            return str(error)

    thread, answers = _in_thread(ask)
    relay.serve(done.is_set, begun.set, lambda: None)
    thread.join()
    assert "no number" in answers[0]


def test_a_server_that_is_broken_off_leaves_nobody_waiting():
    relay, begun, ended = Relay(), threading.Event(), []

    def ask():
        begun.wait()
        return [relay.call(len, "x" * i) for i in range(50)]

    thread, answers = _in_thread(ask)

    def tick():
        if begun.is_set():
            raise KeyboardInterrupt
        begun.set()

    with pytest.raises(KeyboardInterrupt):
        relay.serve(lambda: False, tick, lambda: ended.append(True))
    thread.join(timeout=10)
    assert answers == [list(range(50))]
    assert ended == [True]


def test_a_quiet_moment_is_used_before_waiting():
    relay, begun, served = Relay(), threading.Event(), []

    def ask():
        begun.wait()
        return relay.call(served.append, 1)

    thread, _ = _in_thread(ask)
    relay.serve(lambda: bool(served), lambda: None, lambda: None, begun.set)  # else it would wait for ever
    thread.join()
    assert served == [1]


def test_what_is_at_hand_is_answered_first():
    relay, order = Relay(), []
    threads = []

    def tick():  # on its way in, a call that waits before the first look
        if not threads:
            threads.append(threading.Thread(target=lambda: relay.call(order.append, "call")))
            threads[0].start()
            while relay._calls.empty():
                pass

    relay.serve(lambda: len(order) >= 2, tick, lambda: None, lambda: order.append("idle"))
    threads[0].join()
    assert order == ["call", "idle"]


def test_within_returns_or_raises_what_the_call_does_and_leaves_one_that_takes_too_long():
    assert within(10, lambda: 3) == 3
    with pytest.raises(KeyError):
        within(10, lambda: {}["x"])
    over = threading.Event()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.1 s"):
        within(0.1, over.wait)
    over.set()
