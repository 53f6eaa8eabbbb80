"""No cell of a CSV begins a formula; numbers, and texts that are numbers, stay as they are."""

import io

import pandas as pd
import pytest

from orchestrator.ledger.rows.spreadsheet import as_csv


@pytest.mark.parametrize("text", ["=1+1", '=HYPERLINK("http://x")', "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1"])
def test_a_text_that_a_spreadsheet_takes_for_a_formula_begins_with_an_apostrophe(text):
    frame = pd.DataFrame({"arm": [text], text: [1.0]})
    read = pd.read_csv(io.StringIO(as_csv(frame)))
    assert read["arm"].tolist() == [f"'{text}"]
    assert read.columns[1] == f"'{text}"


@pytest.mark.parametrize("text", ["-1", "+0.5", "-1e-05", "-.5", "-inf", "step=2", "a-b", "–"])
def test_a_text_that_is_none_stays_as_it_is(text):
    assert pd.read_csv(io.StringIO(as_csv(pd.DataFrame({"level": [text]}))), dtype=str)["level"].tolist() == [text]


def test_numbers_and_absent_values_are_written_as_pandas_writes_them():
    frame = pd.DataFrame({"a": [-1.5, float("nan")], "b": [True, False], "c": ["x", None], "d": [-1, 2]})
    assert as_csv(frame) == frame.to_csv(index=False)
