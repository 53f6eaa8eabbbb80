"""Windows never cross a border, none is left out, and their features are those of NumPy and of single sines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.data.series import BANDS, borders, starts, window_features

columns = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=60)


@given(columns)
def test_borders_are_where_any_column_changes(rows: list[tuple[int, int]]) -> None:
    people, labels = np.array(rows, dtype=np.int64).T
    edges = borders(people, labels).tolist()
    changed = [place for place in range(1, len(rows)) if rows[place] != rows[place - 1]]
    assert edges == [0, *changed, len(rows)]


@given(columns, st.integers(1, 8), st.integers(1, 8))
def test_windows_are_all_those_within_a_stretch_at_every_step_from_its_border(
    rows: list[tuple[int, int]], window: int, step: int
) -> None:
    edges = borders(*np.array(rows, dtype=np.int64).T)
    found = starts(edges, window, step).tolist()
    expected = []
    for start in range(len(rows)):
        first = max(edge for edge in edges.tolist() if edge <= start)
        whole = len(set(rows[start : start + window])) == 1 and start + window <= len(rows)
        if whole and (start - first) % step == 0:
            expected.append(start)
    assert found == expected


def test_moments_and_order_statistics_are_those_of_each_channel_alone() -> None:
    window = np.random.default_rng(0).standard_normal((100, 3))
    found = window_features(window).reshape(16, 3)
    for channel in range(3):
        own = window[:, channel]
        expected = [own.mean(), own.std(), own.min(), own.max(), *np.percentile(own, [25, 50, 75])]
        assert found[:8, channel].tolist() == pytest.approx([*expected, np.abs(np.diff(own)).mean()])
        assert window_features(own[:, None]).tolist() == pytest.approx(found[:, channel].tolist())


@pytest.mark.parametrize("band", range(len(BANDS) - 1))
def test_a_sine_has_its_power_in_the_band_of_its_frequency_alone(band: int) -> None:
    cycles = BANDS[band]
    window = np.sin(2 * np.pi * cycles * np.arange(100) / 100 + 0.3)[:, None]
    powers = window_features(window)[8:]
    rest = np.delete(powers, band)
    assert powers[band] > 5.0 and rest.max() < 1e-6
