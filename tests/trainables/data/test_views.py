"""Views by name: vectors, grey and colour images know theirs, and say in their names what they do."""

from __future__ import annotations

import pytest

from trainables.data.views import VIEWS, View, asymmetric_pair, views_of


def test_grey_images_are_never_mirrored_or_coloured_unless_the_name_says_so() -> None:
    for name, view in views_of((1, 28, 28)).items():
        assert (view.flip > 0) == name.startswith("flip"), name
        assert not view.is_coloured


def test_colour_images_know_every_name_and_vectors_only_what_needs_no_picture() -> None:
    assert set(views_of((3, 32, 32))) == set(VIEWS)
    assert all(not view.draws_per_sample for view in views_of((20,)).values())


def test_the_view_named_by_three_transforms_has_these_three() -> None:
    view = views_of((3, 32, 32))["flip_rotation_colour"]
    assert view.flip > 0 and view.rotation > 0 and view.is_toned and view.is_coloured
    assert view.crop == view.noise == view.blur == view.grey == 0


@pytest.mark.parametrize(("shape", "saturation", "solarised"), [((3, 32, 32), 0.2, 0.2), ((1, 28, 28), 0.0, 0.0)])
def test_the_asymmetric_pair_differs_in_blur_and_solarisation_alone(
    shape: tuple[int, int, int], saturation: float, solarised: float
) -> None:
    first, second = asymmetric_pair(shape, 0.7)
    assert (first.blur, second.blur) == (1.0, 0.1)
    assert (first.solarise, second.solarise) == (0.0, solarised)
    assert first.saturation == second.saturation == saturation
    assert first.crop <= 0.7


def test_vectors_get_noise_in_both_views() -> None:
    assert asymmetric_pair((20,), 0.7) == (View(noise=0.3, dropout=0.2),) * 2
