"""A function is declared where it stands, and stays a function."""

from __future__ import annotations

import pytest

from orchestrator.errors import RequestError
from orchestrator.knobs import Float, knob
from orchestrator.own import trainable


@trainable(knobs={"lr": knob(0.1, Float(0, 1))}, n_epochs=4)
def mine(config, seed, report):
    return seed


@trainable
def plain(config, seed, report, data):
    return data


def assign(config, weights, x):
    return x


def assigns_by_less(config, x):
    return x


def test_how_new_points_are_assigned_is_no_part_of_what_it_is():
    bare, whole = (trainable(knobs={}, name="mine", predict=one)(plain).declared for one in (None, assign))
    assert bare.identity == whole.identity and bare.code_digest() == whole.code_digest()
    with pytest.raises(
        RequestError, match=r"predict: \(config, x\) are its arguments; allowed: \(config, weights, x\)"
    ):
        trainable(name="mine", predict=assigns_by_less)(plain)


def test_it_can_be_called_as_before():
    assert mine(None, 3, None) == 3


def test_its_declaration_names_where_it_is():
    found = mine.declared
    assert (found.name, found.n_epochs, found.asks["name"], found.asks["label"]) == (
        *("mine", 4, "mine", "test_function.py"),
    )
    assert not found.takes_data and plain.declared.takes_data


def test_one_within_a_function_is_refused():
    with pytest.raises(RequestError, match="must stand at the top of a file"):

        @trainable
        def hidden(config, seed, report):
            pass


def test_other_arguments_are_refused():
    def wrong(config, report):
        pass

    with pytest.raises(RequestError, match=r"allowed: \(config, seed, report\) or \(config, seed, report, data\)"):
        trainable(wrong)
