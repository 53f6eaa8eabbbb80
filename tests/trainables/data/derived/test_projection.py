"""Principal axes against scikit-learn's, and what an option of a dataset says about a wrong number."""

import pytest
import torch
from sklearn.decomposition import PCA

from orchestrator.errors import RequestError
from trainables.data.dataset import Dataset
from trainables.data.derived.projection import principal_axes, projected
from trainables.data.options import wrapped


@pytest.fixture
def points() -> Dataset:
    """Sixty points and twenty test points of six dimensions that vary by different amounts, far from the origin."""
    generator = torch.Generator().manual_seed(1)
    spread = torch.tensor([5.0, 3.0, 2.0, 1.0, 0.5, 0.1])
    inputs, test = (torch.randn(n, 6, generator=generator) * spread + 40.0 for n in (60, 20))
    return Dataset("six", inputs, torch.arange(60) % 3, 3, test, torch.arange(20) % 3)


def test_coordinates_are_those_of_scikit_learn_but_for_one_scale_and_the_signs(points: Dataset) -> None:
    found = projected(points, 3)
    peer = PCA(3, svd_solver="full").fit(points.inputs.double().numpy())
    for mine, part in ((found.inputs, points.inputs), (found.test_inputs, points.test_inputs)):
        assert mine is not None and part is not None
        theirs = torch.from_numpy(peer.transform(part.double().numpy()))
        signs = torch.sign((mine.double() * theirs).sum(0))
        scale = torch.from_numpy(peer.transform(points.inputs.double().numpy())).std()
        torch.testing.assert_close(mine.double() * signs * scale, theirs, rtol=1e-5, atol=4e-3)
    assert float(found.inputs.std()) == pytest.approx(1.0, rel=1e-4)


def test_an_axis_points_to_where_its_largest_entry_is_positive(points: Dataset) -> None:
    centred = points.inputs.double() - points.inputs.double().mean(0)
    axes = principal_axes(centred, 4)
    assert (axes.gather(0, axes.abs().argmax(0, keepdim=True)) > 0).all()
    torch.testing.assert_close(principal_axes(-centred, 4), axes)
    torch.testing.assert_close(axes.T @ axes, torch.eye(4, dtype=torch.float64))


def test_images_become_points_without_an_offset() -> None:
    images = torch.rand(30, 1, 4, 4, generator=torch.Generator().manual_seed(2))
    dataset = Dataset("images", images, torch.arange(30) % 2, 2, offset=images.mean(0))
    found = wrapped(dataset, "pca=5", "images:pca=5")
    assert (found.name, found.inputs.shape, found.offset, found.is_image) == ("images:pca=5", (30, 5), None, False)


@pytest.mark.parametrize("number", ["0", "7", "-1", "x"])
def test_a_wrong_number_of_axes_is_named(points: Dataset, number: str) -> None:
    with pytest.raises(RequestError, match=rf"pca = '?{number}"):
        wrapped(points, f"pca={number}", "six")


def test_points_that_are_all_equal_stay_where_they_are() -> None:
    dataset = Dataset("same", torch.ones(9, 3), torch.arange(9) % 3, 3)
    assert projected(dataset, 2).inputs.abs().max() == 0.0


def test_the_number_of_threads_makes_no_other_dataset() -> None:
    generator = torch.Generator().manual_seed(3)
    images = torch.rand(4_000, 1, 14, 14, generator=generator)
    dataset = Dataset("images", images, torch.arange(4_000) % 2, 2, offset=torch.rand(1, 14, 14, generator=generator))
    threads = torch.get_num_threads()
    for option in ("pca=20", "pixels=standardised"):
        digests = set()
        try:
            for count in (1, 2, 3):
                torch.set_num_threads(count)
                digests.add(wrapped(dataset, option, option).digest)
        finally:
            torch.set_num_threads(threads)
        assert len(digests) == 1
