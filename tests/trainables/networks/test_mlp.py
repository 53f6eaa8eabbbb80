"""The perceptron with several layers, with torch.nn as oracle."""

from __future__ import annotations

import pytest
import torch
from small_networks import streams
from torch import nn

from trainables.networks import (
    Mlp,
    build,
    projector,
    small_normal,
)
from trainables.randomness import Streams


def reference(network: Mlp) -> nn.Sequential:
    """Return torch's own layers with the values of member 0."""
    layers: list[nn.Module] = []
    params, last = iter(network.params), len(network.widths) - 2
    for depth, (inner, outer) in enumerate(zip(network.widths[:-1], network.widths[1:], strict=True)):
        normed = network.norm_out if depth == last else network.norm
        layer = nn.Linear(inner, outer, bias=not normed)
        layer.weight = nn.Parameter(next(params)[0].detach().T.clone())
        layers.append(layer)
        if not normed:
            layer.bias = nn.Parameter(next(params)[0].detach().clone())
        if normed:
            scaled = depth < last
            layers.append(nn.BatchNorm1d(outer, affine=scaled))
            if scaled:
                layers[-1].weight = nn.Parameter(next(params)[0].detach().clone())
                layers[-1].bias = nn.Parameter(next(params)[0].detach().clone())
        if depth < last:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


@pytest.mark.parametrize("norm_out", [False, True])
@pytest.mark.parametrize("norm", [False, True])
def test_an_mlp_is_torchs_mlp_in_training_and_in_evaluation(norm: bool, norm_out: bool) -> None:
    network = Mlp((10, 16, 13, 4), streams([3, 4]), norm=norm, norm_out=norm_out)
    oracle, x = reference(network), Streams([3, 4], "inputs").normal(12, 10)
    torch.testing.assert_close(network(x)[0], oracle(x[0]), rtol=1e-5, atol=1e-6)
    oracle.eval()
    torch.testing.assert_close(network(x, False)[0], oracle(x[0]), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(network.embed(x[0])[0], oracle(x[0]).detach(), rtol=1e-5, atol=1e-6)


def test_initial_values_stay_within_torchs_default_bound_and_fill_it() -> None:
    weight = build("linear", (100,), streams([0, 1]), out_features=50).params[0]
    assert weight.abs().max() <= 0.1
    assert weight.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.05)
    predictor = projector(8, 4, streams([0], "init.predictor"), hidden=512, init=small_normal)
    assert predictor.params[0].std().item() == pytest.approx(0.01, rel=0.1)
    assert bool((predictor.params[-1] == 0).all())
