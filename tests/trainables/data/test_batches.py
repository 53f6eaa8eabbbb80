from hypothesis import given
from hypothesis import strategies as st

from trainables.data.batches import cuts, side_by_side


@given(n=st.integers(1, 5_000), size=st.integers(1, 600))
def test_every_point_is_in_one_batch_and_batches_differ_by_one_at_most(n: int, size: int) -> None:
    batches = cuts(n, size)
    assert [place for cut in batches for place in range(cut.start, cut.stop)] == list(range(n))
    lengths = [cut.stop - cut.start for cut in batches]
    assert max(lengths) - min(lengths) <= 1
    assert min(lengths) >= min(n, (2 * size) // 3)


def test_digits_at_128_are_fourteen_batches() -> None:
    assert len(cuts(1_797, 128)) == 14


@given(widths=st.lists(st.integers(0, 9), max_size=8))
def test_parts_lie_one_behind_the_other_without_a_gap(widths: list[int]) -> None:
    spans = side_by_side(widths)
    assert [span.stop - span.start for span in spans] == widths
    assert [place for span in spans for place in range(span.start, span.stop)] == list(range(sum(widths)))
