from __future__ import annotations

import math

import pytest

from analysis import number_format


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [(0.5823, "nmi", "58.2"), (-0.011, "acc", "−1.1"), (1.23456, "loss", "1.23"), (math.nan, "nmi", "–"),
     (0.00001, "loss", "1e−5"), (-math.inf, "nmi", "−∞")],
)  # fmt: skip
def test_numbers_are_written_in_their_printed_scale(value, metric, text):
    assert number_format.number(value, metric) == text


def test_differences_always_carry_a_sign():
    assert number_format.signed(0.011, "nmi") == "+1.1" and number_format.signed(-0.011, "nmi") == "−1.1"
    assert number_format.signed(0.0, "nmi") == number_format.signed(-0.0, "nmi") == "+0.0"
    assert number_format.signed(-1e-9, "nmi") == "−0.0", "it has a side, however small"
    assert number_format.signed(0.0, "nmi") == "+0.0" and number_format.signed(math.nan, "nmi") == "–"


def test_smaller_is_better_of_a_loss_and_no_end_is_of_a_count():
    assert number_format.sides("nmi") == ("better", "worse") and number_format.sides("loss") == ("worse", "better")
    assert number_format.sides("n_clusters_used") == ("higher", "lower")


def test_small_p_values_are_not_printed_as_zero():
    assert (
        number_format.p_text(2e-7) == "p < 0.001"
        and number_format.p_text(0.0123) == "p = 0.012"
        and number_format.p_text(1.0) == "p = 1.00"
    )


def test_lists_read_as_sentences():
    assert [number_format.join(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_seeds_are_drawn_together_where_they_follow_each_other():
    texts = [number_format.seeds_text(seeds) for seeds in ([3], [1, 2], [0, 1, 2, 3], [9, 0, 1, 2, 5])]
    assert texts == ["seed 3", "seeds 1 and 2", "seeds 0 to 3", "seeds 0 to 2, 5 and 9"]
