"""A study's plan joined with its results, as CSV or Parquet."""

from __future__ import annotations

from pathlib import Path

from orchestrator.errors import RequestError
from orchestrator.ledger import Ledger
from orchestrator.ledger.rows.spreadsheet import as_csv

__all__ = ["export_study"]


def export_study(results: Path, study: str, target: Path) -> int:
    """Write a study's view (plan joined with the ledger) as CSV or Parquet, by the file's ending; return the rows.

    Raises:
        RequestError: another ending, or a folder that cannot be written.
    """
    if target.suffix not in (".csv", ".parquet"):
        raise RequestError(f"export to {str(target)!r}: allowed endings are .csv and .parquet")
    with Ledger(results) as ledger:
        _, plan = ledger.studies.read(study)
        rows = ledger.trials(only=plan["trial_id"].unique().to_pylist())
    rows = rows.drop(columns=["dataset", "method", "seed", "seed_block"], errors="ignore")
    view = plan.to_pandas().merge(rows, "left", "trial_id")
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".csv":
            part.write_text(as_csv(view), encoding="utf-8")
        else:
            view.to_parquet(part, index=False)
        part.replace(target)
    except OSError as error:
        raise RequestError(f"export to {str(target)!r} failed: {error.strerror or error}") from error
    return len(view)
