"""Facts read from their JSON are the facts, of every method found; strange JSON is refused."""

import json

import pytest

from orchestrator import discovery
from orchestrator.knobs import Choice, Float, Int, Knob
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.facts import DatasetFacts, MethodFacts, dataset_from_json, method_from_json, to_json


@pytest.mark.parametrize("name", discovery.names("method"))
def test_facts_of_a_method_come_back_equal_and_of_the_same_kinds(name):
    facts = Catalogue().method(name)
    back = method_from_json(json.loads(json.dumps(to_json(facts))))
    assert back == facts
    assert repr(back) == repr(facts)


def test_facts_of_a_dataset_come_back_equal():
    facts = DatasetFacts(digest="ab", n_points=5, n_scored=3, n_numbers=64, n_classes=10)
    assert dataset_from_json(json.loads(json.dumps(to_json(facts)))) == facts


def facts_with(knob):
    return MethodFacts(name="m", version=1, code_digest="c", knobs={"k": knob}, n_epochs=1, precisions=("float32",))


@pytest.mark.parametrize(
    "knob",
    [
        Knob(1.0, Float(0.0, 2.0, log=False, also=(-1.0,)), fuses=True, when={"other": (1, "a", True)}),
        Knob(3, Int(1, 8, log=True)),
        Knob("a", Choice("a", 1, 2.5, True)),
    ],
)
def test_knobs_of_every_kind_come_back(knob):
    back = method_from_json(json.loads(json.dumps(to_json(facts_with(knob)))))
    assert repr(back) == repr(facts_with(knob))


def test_what_json_cannot_say_is_refused():
    with pytest.raises(TypeError, match="cannot be kept"):
        to_json(facts_with(Knob(object(), Choice("a"))))


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {"name": {"os:system": {}}},
        {"name": {"orchestrator.errors:RequestError": {}}},
        {"name": {"subprocess:Popen": {"args": "true"}}},
        {"name": {"a": 1, "b": 2}},
    ],
)
def test_strange_json_is_no_facts(content):
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        method_from_json(content)
