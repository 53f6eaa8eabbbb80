"""Why bundles wait for a place, in one line that says what to do."""

import threading
import time

import pytest

from orchestrator.errors import RequestError
from orchestrator.executors.ray_cluster import capacity
from orchestrator.executors.ray_cluster.capacity import Capacity, asked_of_node, why_waiting


@pytest.mark.parametrize(
    ("nodes", "free", "gpus", "says"),
    [
        ([{"CPU": 2.0}], {"CPU": 1.0}, 0, ""),
        ([{"CPU": 8.0, "GPU": 1.0}], {"CPU": 8.0, "GPU": 1.0}, 1, ""),
        ([{"CPU": 2.0}, {"CPU": 2.0}], {}, 0, "others use all but 0 of the cluster's 4 CPUs; waiting for them"),
        ([{"CPU": 8.0, "GPU": 2.0}], {"CPU": 8.0}, 1, "others use all but 0 of the cluster's 2 GPUs"),
        ([], {}, 0, "takes 1 CPU (the largest offers 0 CPU, 0 GPU); waiting for a node that an autoscaler"),
        ([{"CPU": 4.0}], {"CPU": 4.0}, 1, "takes 1 CPU and 1 GPU (the largest offers 4 CPU, 0 GPU)"),
        ([{"CPU": 4.0}], {"CPU": 4.0}, 1, "; --device cpu does without a GPU"),
    ],
)
def test_the_reason_is_named_or_there_is_none(nodes, free, gpus, says):
    line = why_waiting(tuple(nodes), free, 1, gpus)
    assert (says in line) if says else not line
    assert "\n" not in line


def test_a_cluster_that_does_not_answer_holds_nobody(monkeypatch):
    over = threading.Event()
    asked = []

    class Deaf(Capacity):  # not a patch of the class: the session's own Ray may be asking in another thread
        def _ask(self):
            asked.append(time.monotonic())
            over.wait(20)

    monkeypatch.setattr(capacity, "FIRST_SECONDS", 0.1)
    monkeypatch.setattr(capacity, "ASK_SECONDS", 0.0)
    looked = Deaf(1, 0, 1)
    began = time.monotonic()
    for _ in range(50):
        looked.look()
    assert time.monotonic() - began < 5
    assert len(asked) == 1  # nor do calls pile up
    assert looked.room == looked.cards == 1
    over.set()


NODES = ({"CPU": 4.0, "GPU": 1.0}, {"CPU": 8.0, "GPU": 2.0})


@pytest.mark.parametrize(
    ("wanted", "nodes", "asked"),
    [
        ({"CPU": 1.0, "GPU": 0.0}, NODES, {"CPU": 1.0}),
        ({"CPU": 2.0, "GPU": 2.0}, NODES, {"CPU": 2.0, "GPU": 2.0}),
        ({"CPU": 16.0, "GPU": 1.0}, NODES, {"CPU": 8.0, "GPU": 1.0}),  # fewer cores are slow; no node would be never
        ({"CPU": 16.0, "GPU": 4.0}, (), {"CPU": 16.0, "GPU": 4.0}),
    ],
)
def test_a_worker_asks_for_its_cards_and_for_no_more_cores_than_there_are(wanted, nodes, asked):
    assert asked_of_node(wanted, nodes, may_grow=False) == asked


def test_more_cards_than_this_machine_has_are_refused_and_waited_for_on_a_cluster():
    wanted = {"CPU": 1.0, "GPU": 4.0}
    assert asked_of_node(wanted, NODES, may_grow=True) == wanted
    with pytest.raises(RequestError, match="a trial takes 4 GPUs; allowed: at most the 2 of this machine"):
        asked_of_node(wanted, NODES, may_grow=False)
