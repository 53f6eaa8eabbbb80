"""A declared method's name is that text, and brings its declaration along."""

from __future__ import annotations

import copy
import pickle

import pytest

from orchestrator.errors import RequestError
from orchestrator.knobs import Float, Knob
from orchestrator.metric import Metric
from orchestrator.own.declared import Declared, declaration_of, metrics_from

MINE = Declared(name="mine", adapter="command", knobs={"lr": Knob(0.1, Float(0, 1))}, folder="/", asks={"words": ["x"]})


def test_the_name_travels_with_its_declaration():
    for name in (MINE.named, copy.deepcopy(MINE.named), pickle.loads(pickle.dumps(MINE.named))):
        assert name == "mine" and declaration_of(name) == MINE
    assert declaration_of("mine") is None


def test_a_metric_that_reads_labels_does_whoever_computes_it():
    known = {"nmi": Metric(written="NMI", reads_labels=True, percent=True)}
    with pytest.raises(RequestError, match="metric 'nmi' reads labels, whoever computes it"):
        metrics_from({"nmi": {"reads_labels": False}}, known)
    found = metrics_from({"nmi": {"chance": 0.1}, "my_loss": {"larger_is_better": False}}, known)
    assert found["nmi"].percent and found["nmi"].chance == 0.1
    assert found["my_loss"].written == "my loss" and not found["my_loss"].larger_is_better
