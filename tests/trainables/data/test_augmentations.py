"""Views: per-sample draws, identity at strength 0, bits of members alone, shared draws; plain transforms as oracles."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from orchestrator.errors import RequestError, UnknownNameError
from trainables.data.augmentations import Augmentation
from trainables.data.views import VIEWS, View, views_of
from trainables.method import Stateful

SHAPES = [(1, 8, 8), (3, 12, 12), (1, 28, 28), (3, 32, 32), (3, 96, 96), (20,)]
CASES = [(shape, name) for shape in SHAPES for name in views_of(shape)]
SMALL = [(shape, name) for shape, name in CASES if shape[-1] < 28]
SEEDS = [4, 9, 2]


def inputs_of(shape: tuple[int, ...], n: int = 12) -> Tensor:
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(0))


def viewed(augmentation: Augmentation, inputs: Tensor, indices: Tensor) -> Tensor:
    augmentation.begin_epoch()
    return augmentation(inputs[indices], indices)


@pytest.mark.parametrize(("shape", "name"), CASES)
def test_equal_samples_get_different_views_and_every_view_is_finite(shape: tuple[int, ...], name: str) -> None:
    inputs = inputs_of(shape, 1).expand(40, *shape).clone()
    out = viewed(Augmentation(name, inputs, [0], "view"), inputs, torch.arange(40)[None])
    assert out.shape == (1, 40, *shape)
    assert bool(out.isfinite().all())
    distinct = len(torch.unique(out[0].flatten(1), dim=0))
    assert distinct == 1 if name == "none" else distinct > 5


@pytest.mark.parametrize(("shape", "name"), SMALL)
def test_strength_zero_is_the_identity_for_that_member_only(shape: tuple[int, ...], name: str) -> None:
    inputs, indices = inputs_of(shape), torch.arange(12).expand(2, 12)
    out = viewed(Augmentation(name, inputs, [0, 0], "view", torch.tensor([0.0, 1.0])), inputs, indices)
    torch.testing.assert_close(out[0], inputs, rtol=1e-4, atol=1e-4)
    assert name == "none" or not torch.allclose(out[1], inputs, atol=1e-2)


@pytest.mark.parametrize(("shape", "name"), SMALL)
def test_a_member_has_the_same_bits_alone_and_in_a_bundle_and_after_keep(shape: tuple[int, ...], name: str) -> None:
    inputs, strength = inputs_of(shape, 31), torch.tensor([1.0, 0.3, 2.0])
    indices = torch.stack([torch.randperm(31, generator=torch.Generator().manual_seed(s))[:7] for s in SEEDS])
    fused = Augmentation(name, inputs, SEEDS, "view", strength)
    first = viewed(fused, inputs, indices)
    fused.keep([0, 2])
    second = viewed(fused, inputs, indices[[0, 2]])
    for place in range(3):
        alone = Augmentation(name, inputs, [SEEDS[place]], "view", float(strength[place]))
        assert torch.equal(viewed(alone, inputs, indices[place : place + 1])[0], first[place])
        if place != 1:
            again = viewed(alone, inputs, indices[place : place + 1])[0]
            assert torch.equal(again, second[place // 2])


@pytest.mark.parametrize("name", ["byol", "noise", "strong"])
def test_a_loaded_state_goes_on_with_the_same_draws(name: str) -> None:
    inputs, indices = inputs_of((3, 12, 12)), torch.arange(12).expand(3, 12)
    one, two = (Augmentation(name, inputs, SEEDS, "view") for _ in range(2))
    viewed(one, inputs, indices)
    two.load_state_dict(one.state_dict())
    assert isinstance(one, Stateful)
    assert torch.equal(viewed(one, inputs, indices), viewed(two, inputs, indices))


def test_members_with_other_batches_share_the_draws_of_a_sample() -> None:
    inputs = inputs_of((1, 8, 8))
    whole = viewed(Augmentation("byol", inputs, [5], "view"), inputs, torch.arange(12)[None])
    part = viewed(Augmentation("byol", inputs, [5], "view"), inputs, torch.tensor([[7, 3]]))
    torch.testing.assert_close(part[0], whole[0, [7, 3]])


def test_purposes_and_epochs_have_draws_of_their_own() -> None:
    inputs, indices = inputs_of((1, 8, 8)), torch.arange(12)[None]
    one, two = Augmentation("crop", inputs, [5], "view.0"), Augmentation("crop", inputs, [5], "view.1")
    first = viewed(one, inputs, indices)
    assert not torch.equal(first, viewed(two, inputs, indices))
    assert not torch.equal(first, viewed(one, inputs, indices))


def test_every_shift_within_the_range_is_drawn_about_equally_often() -> None:
    inputs = torch.zeros(6000, 1, 8, 8)
    inputs[:, :, 4, 4] = 1.0
    out = viewed(Augmentation("shift", inputs, [0], "view"), inputs, torch.arange(6000)[None])[0, :, 0]
    counts = out.sum(0)[3:6, 3:6]
    assert int(counts.sum()) == 6000
    assert float(counts.min()) > 6000 / 9 * 0.85


def test_a_crop_brings_nothing_in_and_its_windows_fill_the_allowed_range() -> None:
    inputs = torch.ones(500, 1, 16, 16)
    out = viewed(Augmentation(View(crop=0.9), inputs, [0], "view"), inputs, torch.arange(500)[None])
    torch.testing.assert_close(out, torch.ones_like(out))
    ramp = torch.linspace(-1.0, 1.0, 16).expand(500, 1, 16, 16).clone()
    seen = viewed(Augmentation(View(crop=0.9), ramp, [0], "view"), ramp, torch.arange(500)[None])[0, :, 0]
    widths = (seen[:, 0, -1] - seen[:, 0, 0]) / 2 * 16 / 15
    assert 0.25 < float(widths.min()) < 0.45
    assert float(widths.max()) > 0.95


def test_the_middle_of_a_channel_follows_its_scale_and_offset() -> None:
    pixels = torch.rand(40, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    pixels[0], pixels[1] = 0.0, 1.0
    scaled = (pixels - 0.3) * torch.tensor([1.0, 2.0, 5.0]).view(3, 1, 1)
    always, indices = View(solarise=1.0), torch.arange(40)[None]
    plain, moved = (viewed(Augmentation(always, x, [0], "view"), x, indices)[0] for x in (pixels, scaled))
    torch.testing.assert_close(moved / torch.tensor([1.0, 2.0, 5.0]).view(3, 1, 1) + 0.3, plain)
    assert float(plain.max()) <= 0.5


def test_a_solarised_view_shares_all_other_draws_with_the_same_view_without() -> None:
    x, indices = inputs_of((3, 12, 12)), torch.arange(12)[None]
    plain = View(crop=0.5, flip=0.5, saturation=0.4)
    seen = viewed(Augmentation(plain, x, [5], "view"), x, indices)[0]
    half = viewed(Augmentation(replace(plain, solarise=0.5), x, [5], "view"), x, indices)[0]
    changed = (half != seen).flatten(1).any(1)
    assert 0 < int(changed.sum()) < 12
    assert torch.equal(half[~changed], seen[~changed])


def test_noise_and_dropout_have_the_strength_they_name() -> None:
    inputs = inputs_of((50,), 400) * 3.0
    indices = torch.arange(400)[None]
    noisy = viewed(Augmentation("noise", inputs, [0], "view", 2.0), inputs, indices)[0]
    assert float((noisy - inputs).std()) == pytest.approx(0.6 * float(inputs.std()), rel=0.03)
    dropped = viewed(Augmentation("dropout", inputs, [0], "view"), inputs, indices)[0]
    assert float((dropped == 0).float().mean()) == pytest.approx(0.2, abs=0.01)


def test_a_wrong_view_or_strength_is_said_in_one_line() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown view of inputs of shape \(20,\) 'crop'; there are: dropout"):
        Augmentation("crop", inputs_of((20,)), [0], "view")
    with pytest.raises(RequestError, match="strength = -1; allowed is 0 or more"):
        Augmentation("crop", inputs_of((1, 8, 8)), [0], "view", -1.0)
    assert set(VIEWS) >= {"none", "noise", "shift", "crop", "byol", "dropout", "noise_dropout"}
