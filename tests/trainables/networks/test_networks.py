"""Networks by name: what is built, how wide, for how many members, and what is refused."""

from __future__ import annotations

import pytest
import torch
from small_networks import GREY, make, streams

from orchestrator.errors import RequestError, UnknownNameError
from trainables.networks import (
    NETWORKS,
    Chain,
    backbone,
    build,
    headed,
    members_at_most,
    projector,
)


def test_one_networks_draws_do_not_depend_on_another() -> None:
    first = make("mlp", [4])
    projector(64, 8, streams([4], "init.projector"), hidden=16)
    assert all(torch.equal(one, two) for one, two in zip(first.params, make("mlp", [4]).params, strict=True))


def test_bundles_are_no_larger_for_networks_that_gain_less() -> None:
    for shape in ((1, 8, 8), (1, 28, 28)):
        most = [members_at_most(name, shape) for name in NETWORKS]
        assert most == sorted(most, reverse=True)
        assert most[-1] == 1
    assert members_at_most("cnn", (3, 32, 32)) < members_at_most("cnn", (3, 8, 8))


def test_what_cannot_be_built_is_said_in_one_line() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown network 'vgg5'; .*there are: cnn, linear, mlp"):
        build("vgg5", GREY, streams([0]))
    with pytest.raises(RequestError, match=r"network cnn takes images .*this dataset holds vectors"):
        build("cnn", (64,), streams([0]))
    with pytest.raises(RequestError, match="at least 4 x 4; these are 3 x 3"):
        build("vgg4", (1, 3, 3), streams([0]))
    with pytest.raises(RequestError, match="network mlp needs out_features"):
        build("mlp", (64,), streams([0]))


def test_a_backbone_has_its_own_features_or_the_asked_width() -> None:
    assert backbone("cnn", (1, 28, 28), streams([0]), 99).out_features == 16 * 4 * 4
    assert backbone("mlp", (7,), streams([0]), 99).out_features == 99


def test_a_head_has_a_hidden_layer_behind_every_network_but_a_linear_one() -> None:
    both, widths = (streams([0, 1]), streams([0, 1], "init.head")), (20, 16, 8)
    assert [tuple(p.shape[1:]) for p in headed("linear", GREY, both, widths).params] == [(64, 8), (8,)]
    weights = [tuple(p.shape[1:]) for p in headed("mlp", GREY, both, widths).params if p.dim() == 3]
    assert weights == [(64, 20), (20, 16), (16, 8)]
    chain = headed("cnn", GREY, both, widths, norm_out=True)
    assert isinstance(chain, Chain) and chain.out_features == 8 and chain.params[-1].shape[1:] == (16, 8)
