from __future__ import annotations

from pathlib import Path

from analysis.verdicts import coverage

PAGE = Path(__file__).parents[3] / "analysis" / "statistics.md"


def test_the_table_in_the_docs_is_the_simulated_one():
    page = PAGE.read_text(encoding="utf-8")
    assert coverage.with_table(page) == page


def test_symmetric_differences_are_covered_and_what_is_not_is_in_the_table():
    rows = coverage.simulated()
    symmetric = [row for row in rows if row["differences"].startswith(("normal", "heavy-tailed", "bounded"))]
    assert {row["n_pairs"] for row in symmetric} == {6, 10, 20}
    assert all(row["sign_flip"] >= 0.93 for row in symmetric)
    low = [row for row in rows if row["sign_flip"] < 0.93]
    assert low and all(row["differences"] in coverage.as_markdown() for row in low)
    assert all("skewed" in row["differences"] or "collapse" in row["differences"] for row in low)
