"""Global random streams: each member's own, alone as in a bundle, taken up again, and refused where shared."""

import random
import threading

import numpy as np
import pytest
import torch

from orchestrator.errors import RequestError
from trainables.global_streams import GlobalStreams, untouched

CPU = torch.device("cpu")


def drawn():
    return (torch.randn(3).tolist(), np.random.normal(size=3).tolist(), [random.gauss(0, 1) for _ in range(3)])


def test_members_that_take_turns_draw_what_they_draw_alone():
    alone = []
    for seed in (1, 2):
        streams = GlobalStreams(seed, CPU)
        with streams.own():
            first = drawn()
        with streams.own():
            alone.append((first, drawn()))
    one, other = GlobalStreams(1, CPU), GlobalStreams(2, CPU)
    together = []
    for _ in range(2):
        for streams in (one, other):
            with streams.own():
                together.append(drawn())
    assert [(together[0], together[2]), (together[1], together[3])] == alone
    assert alone[0] != alone[1]


def test_the_streams_of_the_process_stay_as_they_are():
    torch.manual_seed(5), np.random.seed(5), random.seed(5)
    expected = (torch.rand(2).tolist(), np.random.random(2).tolist(), random.random())
    torch.manual_seed(5), np.random.seed(5), random.seed(5)
    with pytest.raises(ZeroDivisionError), GlobalStreams(1, CPU).own():
        drawn()
        raise ZeroDivisionError
    assert (torch.rand(2).tolist(), np.random.random(2).tolist(), random.random()) == expected


def test_how_often_a_member_is_evaluated_changes_nothing():
    one, other = GlobalStreams(7, CPU), GlobalStreams(7, CPU)
    with one.own(evaluating=True):
        first = drawn()
    with one.own(evaluating=True):
        assert drawn() == first
    with one.own():
        after = drawn()
    with other.own():
        assert drawn() == after


def test_a_state_goes_on_where_it_was_taken():
    streams, later = GlobalStreams(3, CPU), GlobalStreams(4, CPU)
    with streams.own():
        drawn()
        random.gauss(0, 1)  # Python draws two and keeps one
    state = streams.state_dict()
    with streams.own():
        expected = drawn()
    later.load_state_dict(state)
    with later.own():
        assert drawn() == expected


@pytest.mark.parametrize(
    ("draw", "whose"),
    [(lambda: torch.rand(1), "torch"), (np.random.random, "numpy"), (random.random, "Python")],
)
def test_a_draw_from_a_shared_stream_is_named(draw, whose, monkeypatch):
    monkeypatch.setattr("threading.active_count", lambda: 1)  # the tests' own process has threads of its runner
    with (
        pytest.raises(RequestError, match=f"'m' draws from the global random stream of {whose}, which"),
        untouched("m"),
    ):
        draw()
    with untouched("m"):
        np.random.default_rng(3).random(), random.Random(3).random(), torch.rand(1, generator=torch.Generator())


def test_a_draw_of_another_thread_from_pythons_stream_is_not_laid_at_a_methods_door():
    begin, over = threading.Event(), threading.Event()

    def other():
        begin.wait(10)
        random.random()
        over.set()

    thread = threading.Thread(target=other)
    thread.start()
    with untouched("m"):
        begin.set()
        assert over.wait(10)
    thread.join()
