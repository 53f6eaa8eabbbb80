"""The measured errors in the docs are those that the benchmark wrote, and hold their bounds."""

from __future__ import annotations

from pathlib import Path

from analysis.pages import measured_errors

PAGE = Path(__file__).parents[3] / "analysis" / "statistics.md"


def test_the_tables_in_the_docs_are_the_simulated_ones():
    page = PAGE.read_text(encoding="utf-8")
    assert measured_errors.with_table(page) == page


def test_every_bounded_cell_holds_within_three_standard_errors():
    cells = measured_errors.measured()
    bounded = [one for one in cells if one["bound"] is not None]
    assert len(bounded) > 200
    for one in bounded:
        slack = 3 * one["error"]
        assert one["measured"] <= one["bound"] + slack if one["at_most"] else one["measured"] >= one["bound"] - slack


def test_every_cell_stands_in_a_table_and_every_section_has_a_title():
    text, cells = measured_errors.as_markdown(), measured_errors.measured()
    assert {one["section"] for one in cells} == set(measured_errors.TITLES)
    for one in cells:
        assert f"| {one['row']} | {one['claim']} |" in text


def test_what_fails_without_the_assumption_is_printed_and_not_bounded():
    cells = measured_errors.measured()
    near = [one for one in cells if one["row"] == "at the margin, exponential to the near side"]
    assert near and all(one["bound"] is None for one in near) and max(one["measured"] for one in near) > 5
    means = [one for one in cells if one["claim"] == "read as the mean" and "equal means" in one["row"]]
    assert means and all(one["bound"] is None for one in means) and max(one["measured"] for one in means) > 20


def test_the_figure_draws_every_row_of_false_differences():
    drawn = measured_errors.figure()
    (panel,) = drawn.figure.panels
    rows = {one["row"] for one in measured_errors.measured() if one["section"] == "difference"}
    assert {text for _, text in panel.y.ticks} == rows
