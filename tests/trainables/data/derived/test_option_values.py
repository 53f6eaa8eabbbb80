"""Options of references: what their texts stand for, and what is refused by name."""

from __future__ import annotations

import pytest

from orchestrator.errors import RequestError
from trainables.data.derived.option_values import OPTIONS, parsed

SAID = {
    "labels": ("none", "none"),
    "clusters": ("7", 7),
    "imbalance": ("2", 2),
    "subset": ("1000", 1000),
    "pixels": ("standardised", "standardised"),
    "features": ("resnet50:64", ("resnet50", 64)),
    "pca": ("64", 64),
    "stream": ("class:5", ("class", 5)),
    "labelled": ("0.1", 0.1),
    "noise": ("uniform:0.4", ("uniform", 0.4)),
}


def test_every_option_has_a_value_of_its_kind():
    assert set(SAID) == set(OPTIONS)
    text = ",".join(f"{name}={said}" for name, (said, _) in SAID.items())
    assert parsed(text, "digits", ()) == {name: value for name, (_, value) in SAID.items()}


OUTSIDE = "labels=all clusters=1 imbalance=4 subset=1 pixels=raw features=resnet50:8 pca=x stream=class:1 labelled=2"


@pytest.mark.parametrize("text", [*OUTSIDE.split(), "noise=some:0.1", "noise=uniform:2"])
def test_a_value_outside_the_domain_is_refused_with_what_is_allowed(text):
    name = text.partition("=")[0]
    with pytest.raises(RequestError, match=f"{name} = .*allowed: "):
        parsed(text, "digits", ())


def test_unknown_and_repeated_options_are_refused_by_name():
    with pytest.raises(RequestError, match="unknown option 'size'; there are: side, labels"):
        parsed("size=3", "digits", ("side",))
    with pytest.raises(RequestError, match="option 'pca' stands twice"):
        parsed("pca=3,pca=4", "digits", ())
