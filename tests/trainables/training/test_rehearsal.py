"""Rehearsals: what cannot be built is said in one line; what only few points cannot carry is no problem."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from orchestrator.errors import RequestError
from orchestrator.knobs import Choice, knob
from orchestrator.trial import TrialSpec
from trainables.data.dataset import Dataset
from trainables.method import InTurn, Method, MethodConfig
from trainables.training.rehearsal import POINTS, few_points, measured, problem

DATA = Dataset("many", torch.randn(200, 3, generator=torch.Generator().manual_seed(0)), torch.arange(200) % 4, 4)
SPEC = TrialSpec(method="m", method_version=1, config={}, dataset="many", dataset_digest=DATA.digest, n_epochs=50)


@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    how: str = knob("well", Choice("well", "needs many", "refuses", "breaks", "memory", "late"))


class One:
    built: ClassVar[list[int]] = []

    def __init__(self, config, seed, data, device):
        One.built.append(len(data))
        self.config = config
        if config.how == "needs many" and len(data) < 100:
            raise RequestError("too few points")
        if config.how == "refuses":
            raise RequestError("no such view")
        if config.how == "breaks":
            raise KeyError("a\nb")
        if config.how == "memory":
            raise MemoryError

    def fit_epoch(self):
        if self.config.how == "late":
            raise ValueError

    def evaluate(self, last):
        return {"metric.loss": 1.0, "metric.nmi": 0.5, "diagnostic.x": 1.0} | ({"metric.own": 2.0} if last else {})


class METHOD(InTurn):
    Config, member = Config, One


class Shared(Method):
    Config = Config

    def __init__(self, configs, seeds, data, device):
        np.random.rand()

    fit_epoch = evaluate = keep = state_dict = load_state_dict = None


def asked(how):
    return replace(SPEC, config={"how": how})


def test_few_points_are_the_first_of_each_part():
    split = replace(DATA, test_inputs=DATA.inputs[:50], test_labels=DATA.labels[:50], protocol="split")
    few = few_points(split)
    assert (len(few), len(few.eval_labels), few.n_classes, few.protocol) == (POINTS, POINTS, 4, "split")
    assert len(few_points(few)) == POINTS


def test_what_can_be_built_is_built_on_few_points_only():
    One.built.clear()
    assert problem(METHOD, asked("well"), DATA) == ""
    assert One.built == [POINTS]


def test_what_fails_on_few_points_is_tried_on_all():
    One.built.clear()
    assert problem(METHOD, asked("needs many"), DATA) == ""
    assert One.built == [POINTS, 200]


def test_what_cannot_be_built_is_one_line_in_the_methods_words():
    assert problem(METHOD, asked("refuses"), DATA) == "no such view"
    assert problem(METHOD, asked("breaks"), DATA) == "KeyError: 'a\\nb'"
    assert "outside its domain" in problem(METHOD, asked("sideways"), DATA)
    assert "draws from the global random stream of numpy" in problem(Shared, asked("well"), DATA)


def test_memory_that_is_short_here_is_no_problem_of_the_plan():
    assert problem(METHOD, asked("memory"), DATA) == ""


def test_metrics_are_those_of_the_last_evaluation_or_unknown():
    assert measured(METHOD, asked("well"), DATA) == ["loss", "nmi", "own"]
    assert measured(METHOD, asked("late"), DATA) is None
