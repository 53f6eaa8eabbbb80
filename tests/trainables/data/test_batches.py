from hypothesis import given
from hypothesis import strategies as st

from trainables.data.batches import cuts


@given(n=st.integers(1, 5_000), size=st.integers(1, 600))
def test_every_point_is_in_one_batch_and_batches_differ_by_one_at_most(n: int, size: int) -> None:
    batches = cuts(n, size)
    assert [place for cut in batches for place in range(cut.start, cut.stop)] == list(range(n))
    lengths = [cut.stop - cut.start for cut in batches]
    assert max(lengths) - min(lengths) <= 1
    assert min(lengths) >= min(n, (2 * size) // 3)


def test_digits_at_128_are_fourteen_batches() -> None:
    assert len(cuts(1_797, 128)) == 14
