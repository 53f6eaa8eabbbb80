"""A row of a product has the same bits however many rows there are, by oneDNN and by a BLAS."""

from __future__ import annotations

import pytest
import torch

from trainables import products
from trainables.products import product


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(name="without", params=[False, True], ids=["onednn", "blas"])
def without_onednn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param:
        monkeypatch.setattr(products, "_onednn", lambda: None)
    return bool(request.param)


@pytest.mark.parametrize("width", [1, 3, 16, 64, 250, 663, 784, 1280])
@pytest.mark.parametrize("batch", [1, 2, 125, 250])
def test_rows_and_columns_have_the_same_bits_however_many_there_are(without: bool, width: int, batch: int) -> None:
    generator = torch.Generator().manual_seed(width)
    weight, points = (torch.randn(n, width, generator=generator) for n in (700, batch))
    whole = product(weight, points)
    expected = (weight.double() @ points.double().T).float()
    torch.testing.assert_close(whole, expected, rtol=1e-4, atol=1e-3)
    for first, n in ((0, 1), (30, 1), (30, 2), (30, 10), (100, 170), (7, 640)):
        assert torch.equal(product(weight[first : first + n], points), whole[first : first + n])
    if not without:  # a BLAS is only asked for equal rows
        assert torch.equal(product(points, weight[30:40]), product(points, weight)[:, 30:40])


def test_how_factors_lie_changes_no_bit(without: bool) -> None:
    for n, m, d in ((40, 25, 30), (3, 2, 784), (10, 784, 256), (640, 662, 250)):
        left, right = torch.randn(n, d), torch.randn(m, d)
        expected = product(left, right)
        wide = torch.randn(m, d + 7)
        wide[:, 3 : d + 3] = right
        for same in (right.T.contiguous().T, wide[:, 3 : d + 3]):
            assert torch.equal(product(left, same), expected)
            assert torch.equal(product(left.T.contiguous().T, same), expected)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
def test_bits_are_those_of_torchs_documented_way_to_onednn() -> None:
    for n, m, d in ((16, 784, 256), (640, 256, 784), (120, 662, 250)):
        left, right = torch.randn(n, d), torch.randn(m, d)
        expected = torch.nn.functional.linear(left.to_mkldnn(), right.to_mkldnn()).to_dense()
        assert torch.equal(product(left, right), expected)


def test_other_formats_are_multiplied_as_they_are() -> None:
    left, right = torch.randn(40, 30).bfloat16(), torch.randn(25, 30).bfloat16()
    assert product(left, right).dtype is torch.bfloat16
    torch.testing.assert_close(product(left.double(), right.double()), left.double() @ right.double().T)
