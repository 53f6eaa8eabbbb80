"""The ledger: the Parquet store of every attempted trial; the only package that knows its schema."""

from orchestrator.ledger.schema import SCHEMA_VERSION, columns
from orchestrator.ledger.store import Ledger

__all__ = ["SCHEMA_VERSION", "Ledger", "columns"]
