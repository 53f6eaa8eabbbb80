"""What a Lightning module declares is read from its class; Lightning itself is not imported."""

from __future__ import annotations

import pytest

from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.knobs import Float
from orchestrator.own import lightning

LR = {"lr": Float(0, 1)}


class Module:
    def __init__(self, data, lr=0.1):
        self.lr = lr

    def training_step(self, batch, index):
        return self.lr


def test_defaults_are_those_of_the_constructor():
    found = lightning(Module, knobs=LR, n_epochs=3, trainer={"precision": "bf16-mixed"}).declared
    assert (found.knobs["lr"].default, found.n_epochs, found.takes_data) == (0.1, 3, True)
    assert found.asks["trainer"] == {"precision": "bf16-mixed"}


def test_what_is_wrong_is_said_in_a_line():
    with pytest.raises(UnknownNameError, match="unknown argument of Module 'rate'"):
        lightning(Module, knobs={"rate": Float(0, 1)})
    with pytest.raises(RequestError, match="knobs = None is not allowed"):
        lightning(Module, knobs=None)
    with pytest.raises(RequestError, match="it is a class of a LightningModule"):
        lightning(object, knobs=LR)
