"""Tables of trials and evaluations with digests that fit, whose header or one of whose columns somebody made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from honest import TEXTS, is_sane, uses
from hypothesis import strategies as st

from orchestrator.ledger import files

VALUES = st.one_of(
    st.none(),
    TEXTS,
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.booleans(),
    st.binary(max_size=20),
    st.sampled_from(["{}", "[]", '{"lr": {}}', "[" * 2_000, '[{"name": 1}]', "complete", "search"]),
)
HEADERS = st.dictionaries(
    st.sampled_from(["table", "schema_version", "batch", "epochs", "replaces"]),
    st.one_of(VALUES.filter(lambda value: not isinstance(value, bytes)), st.lists(TEXTS, max_size=3)),
    max_size=2,
)
CASES = st.tuples(st.sampled_from(["trials", "epochs"]), st.integers(0, 60), VALUES, st.integers(0, 8), HEADERS)
"""(table, which column, its value, in how many rows, what the header says otherwise)."""


def forge(case: tuple[str, int, Any, int, dict[str, Any]], results: Path) -> None:
    """Forge the table."""
    table, number, value, rows, header = case
    (path,) = (results / table).glob("*.parquet")
    old = pq.read_table(path)
    facts = {**json.loads(old.schema.metadata[b"orchestrator"]), **header}
    name = old.column_names[number % len(old.column_names)]
    column = old[name].to_pylist()
    try:
        values = pa.array([value] * rows + column[rows:])
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        values = pa.array([value] * len(column))
    forged = old.set_column(old.column_names.index(name), name, values[: len(column)])
    content = files.encode(forged.replace_schema_metadata({"orchestrator": json.dumps(facts)}), small=True)
    path.unlink()
    batch = path.name.split(".")[0]
    (results / table / f"{batch}.{files.digest_of(content)}.parquet").write_bytes(content)


def check(case: tuple[str, int, Any, int, dict[str, Any]], results: Path) -> None:
    """Forge the table; what is read of it is such as this program writes, or it is one line."""
    forge(case, results)
    uses(results)
    is_sane(results)
