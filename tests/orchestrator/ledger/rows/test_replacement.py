"""A batch replaces those that it names, as far as it holds their rows, and two in a circle replace nothing."""

from pathlib import Path

import pyarrow as pa

from orchestrator.ledger.files import BatchFile, Header
from orchestrator.ledger.rows.replacement import replaced


def batches(**rows_and_claims):
    """Return headers and index tables of batches: name -> (rows as (trial, attempt, rank), names it replaces)."""
    headers, index = {}, {}
    for name, (rows, claims) in rows_and_claims.items():
        file = BatchFile(Path(f"{name}.parquet"), name, "d")
        headers[file] = Header("trials", name, 1, replaces=frozenset(claims))
        trials, attempts, ranks = zip(*rows, strict=True)
        index[file] = pa.table({"trial_id": trials, "attempt": attempts, "rank": ranks})
    return headers, index


ONE, TWO = ("a", 1, 3), ("b", 1, 1)


def test_a_batch_that_holds_the_rows_of_others_replaces_them():
    gone, wrong = replaced(*batches(old=([ONE], []), other=([TWO], []), new=([ONE, TWO], ["old", "other", "absent"])))
    assert gone == {"old", "other"}
    assert wrong == {}


def test_a_row_that_is_missing_or_worse_makes_both_count():
    for rows in ([TWO], [("a", 1, 1)]):
        gone, wrong = replaced(*batches(old=([ONE], []), new=(rows, ["old"])))
        assert gone == frozenset()
        assert "whose rows it does not hold; both count" in wrong[Path("new.parquet")]


def test_batches_that_replace_each_other_all_count():
    gone, wrong = replaced(*batches(x=([ONE], ["z"]), y=([ONE], ["x"]), z=([ONE], ["y"])))
    assert gone == frozenset()
    assert len(wrong) == 3
