"""The ledger's columns: their names, types and meanings, and the tables made of outcomes; no file is touched here.

Knobs, metrics and diagnostics are columns by name (`knob.lr`, `metric.nmi`), made as they are met. Two methods may
use one knob name with different types: a table then holds the column in the narrowest type that takes both (whole
numbers and numbers: float64; anything else: text). The canonical JSON in `config` stays the truth.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

import pyarrow as pa

from orchestrator.trial import TrialOutcome, TrialState, canonical_json

__all__ = [
    "RANK",
    "SCHEMA_VERSION",
    "TABLES",
    "Column",
    "columns",
    "epochs_table",
    "fitted",
    "metadata",
    "trials_table",
    "union",
    "united",
    "unknown_columns",
]

SCHEMA_VERSION = 1
"""Raised when a column changes its meaning or goes; a file with a higher number is refused."""

RANK = {TrialState.FAILED: 1, TrialState.PRUNED: 2, TrialState.COMPLETE: 3}
"""Which attempt of a trial the read view shows: the highest rank, then the latest attempt."""

_TEXT, _WHOLE, _NUMBER = pa.string(), pa.int64(), pa.float64()
_TIME = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Column:
    """One column of the ledger. A name that ends in `<name>` stands for as many columns as there are names."""

    name: str
    type: pa.DataType | None
    """None: float64, int64, bool or string, as the knob is declared."""
    meaning: str

    @cached_property
    def prefix(self) -> str:
        """What the names of a family begin with; empty for a single column."""
        return self.name.removesuffix("<name>") if self.name.endswith("<name>") else ""


TABLES: dict[str, tuple[Column, ...]] = {
    "trials": (
        Column("schema_version", _WHOLE, "version of this table"),
        Column("trial_id", _TEXT, "hash of all that makes it the trial it is"),
        Column("attempt", _WHOLE, "attempts of a trial count from 1; one row each"),
        Column("method", _TEXT, "name of the method"),
        Column("method_version", _WHOLE, "raised when a change of the method moves numbers"),
        Column("code_digest", _TEXT, "digest of the method's file and its imports"),
        Column("dataset", _TEXT, "name of the dataset, with its options"),
        Column("dataset_digest", _TEXT, "digest of its content"),
        Column("protocol", _TEXT, "whole, or split: scored on the test part"),
        Column("seed_block", _TEXT, "search or confirm; disjoint by derivation"),
        Column("seed", _WHOLE, "number of the seed in its block"),
        Column("n_epochs", _WHOLE, "budget in epochs"),
        Column("precision", _TEXT, "number format of the training"),
        Column("stop", _TEXT, "JSON: rule by which training may end early; empty: none"),
        Column("declaration", _TEXT, "digest of what a method of a study's own file is asked; else empty"),
        Column("config", _TEXT, "canonical JSON of all knobs: the truth"),
        Column("knob.<name>", None, "the knobs, typed; empty where the method has no such knob"),
        Column("state", _TEXT, "complete (collapsed ones included), pruned or failed"),
        Column("failure_kind", _TEXT, "why a failed attempt failed; else empty"),
        Column("error", _TEXT, "traceback of a failed attempt; else empty"),
        Column("collapsed", pa.bool_(), "whether clusters died out: an outcome, not a failure"),
        Column("metric.<name>", _NUMBER, "metrics of the last evaluation"),
        Column("cost.seconds", _NUMBER, "the trial's share of its bundle's wall-clock time"),
        Column("cost.peak_memory_bytes", _NUMBER, "highest memory use of the process, or GPU, that trained it"),
        Column("cost.gpu_seconds", _NUMBER, "GPU time, 0 without one"),
        Column("bundle_id", _TEXT, "hash of the ids of the trials that were trained together"),
        Column("bundle_size", _WHOLE, "members trained together (halved when memory ran out)"),
        Column("device", _TEXT, "what it was trained on"),
        Column("device_name", _TEXT, "name of the processor or of the card"),
        Column("device_memory_bytes", _WHOLE, "memory of the card, or of the machine by core"),
        Column("tf32", pa.bool_(), "whether a GPU may round float32 products to TF32"),
        Column("deterministic", pa.bool_(), "one thread, or deterministic GPU kernels asked for"),
        Column("stages", _TEXT, "JSON: what was made once (name, key, drawn by a seed)"),
        Column("threads", _WHOLE, "torch threads; part of what makes bits equal"),
        Column("started_at", _TIME, "start of the attempt, UTC"),
        Column("finished_at", _TIME, "end of the attempt, UTC"),
        Column("git_commit", _TEXT, "commit of the checkout that trained it; empty when installed"),
        Column("versions", _TEXT, "JSON: versions of Python and of the packages that move numbers"),
    ),
    "epochs": (
        Column("trial_id", _TEXT, "the trial"),
        Column("attempt", _WHOLE, "the attempt of the trial"),
        Column("epoch", _WHOLE, "epochs trained before this evaluation"),
        Column("seconds", _NUMBER, "the trial's share of the time so far"),
        Column("metric.<name>", _NUMBER, "metrics of this evaluation"),
        Column("diagnostic.<name>", _NUMBER, "what the method says of itself"),
    ),
}

_FACTS = {"bundle_id", "bundle_size", "device", "threads", "started_at", "finished_at"}
_FACTS |= {"device_name", "device_memory_bytes", "tf32", "deterministic", "code_digest", "git_commit", "versions"}
_FACTS |= {"stages"}

_PLAIN_FACTS = ("device_name", "device_memory_bytes", "tf32", "deterministic", "stages", "threads")


_SINGLES: dict[str, dict[str, pa.DataType]] = {}
"""Table -> column that is no family -> its type."""

_FAMILIES: dict[str, tuple[str, ...]] = {}
"""Table -> what the names of its families begin with."""

for _table, _known in TABLES.items():
    _SINGLES[_table] = {column.name: column.type for column in _known if not column.prefix}
    _FAMILIES[_table] = tuple(column.prefix for column in _known if column.prefix)


def columns() -> list[tuple[str, str, str]]:
    """Return (name, type, meaning) of every column, `trials.` and `epochs.` in front, for docs and reports."""
    found = []
    for table, known in TABLES.items():
        for column in known:
            found.append((f"{table}.{column.name}", str(column.type or "by knob"), column.meaning))
    return found


def unknown_columns(table: str, names: Iterable[str]) -> list[str]:
    """Return the names that are no column of `table`."""
    return [name for name in names if name not in _SINGLES[table] and not name.startswith(_FAMILIES[table])]


def trials_table(outcomes: Sequence[TrialOutcome]) -> pa.Table:
    """Return one row an outcome.

    Raises:
        ValueError: a fact or cost that the ledger has no column for.
    """
    configs, metrics, rows = [], [], []
    for outcome in outcomes:
        configs.append(outcome.spec.config)
        metrics.append(outcome.metrics)
        rows.append(_row(outcome))
    data = {**_knobs(configs), **_metrics(metrics)}
    singles = pa.array(rows, pa.struct(list(_SINGLE_COLUMNS))).flatten()  # one call for all columns
    data.update(zip(_SINGLE_COLUMNS.names, singles, strict=True))
    return _ordered("trials", data)


def epochs_table(table: pa.Table) -> pa.Table:
    """Return `table` in the order and the types of the epochs table.

    Raises:
        ValueError: a column that is unknown, absent, or holds no numbers.
    """
    unknown = unknown_columns("epochs", table.column_names)
    absent = sorted({"trial_id", "attempt", "epoch"}.difference(table.column_names))
    if unknown or absent:
        raise ValueError(f"epoch rows with unknown columns {unknown}, without columns {absent}")
    types = _SINGLES["epochs"]
    data = {name: table[name].cast(types.get(name, _NUMBER)) for name in table.column_names}
    data.setdefault("seconds", pa.nulls(len(table), _NUMBER))
    return _ordered("epochs", data)


def union(table: str, parts: Sequence[pa.Table], columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows of all parts under the union of their columns; absent values are null.

    Args:
        table: trials or epochs.
        parts: tables with some of its columns.
        columns: only these, of which parts may hold some; None: all that the table has, and every other one met.
    """
    schema = united(table, [part.schema for part in parts], columns)
    return pa.concat_tables([schema.empty_table(), *(fitted(part, schema) for part in parts)])


def united(table: str, schemas: Iterable[pa.Schema], columns: Sequence[str] | None = None) -> pa.Schema:
    """Return the columns of all schemas in the table's order, each in the narrowest type that takes every one met."""
    types: dict[str, set[pa.DataType]] = {}
    for name, single in _SINGLES[table].items():
        if columns is None or name in columns:
            types[name] = {single}
    for schema in schemas:
        for field in schema:
            if columns is None or field.name in columns:
                types.setdefault(field.name, set()).add(field.type)
    return _ordered(table, {name: pa.nulls(0, _unified(met)) for name, met in types.items()}).schema


def fitted(part: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table under a schema that `united` gave: its columns cast, absent ones null."""
    there, data = dict(zip(part.column_names, part.columns, strict=True)), []
    for field in schema:
        own = there.get(field.name)
        if own is None:
            own = pa.nulls(len(part), field.type)
        data.append(own if own.type == field.type else own.cast(field.type))
    return pa.Table.from_arrays(data, schema=schema)


def _ordered(table: str, data: Mapping[str, Any]) -> pa.Table:
    ordered: dict[str, Any] = {}
    for column in TABLES[table]:
        if column.prefix:
            for name in sorted(data):
                if name.startswith(column.prefix):
                    ordered[name] = data[name]
        elif column.name in data:
            ordered[column.name] = data[column.name]
    return pa.table(ordered)


_SINGLE_COLUMNS = pa.schema(list(_SINGLES["trials"].items()))


def _row(outcome: TrialOutcome) -> dict[str, Any]:
    spec, facts, cost = outcome.spec, outcome.facts, outcome.cost
    strange = sorted(set(facts) - _FACTS) + sorted(set(cost) - {"seconds", "peak_memory_bytes", "gpu_seconds"})
    if strange:
        raise ValueError(f"the ledger has no column for {', '.join(strange)}")
    return {
        "schema_version": SCHEMA_VERSION,
        "trial_id": spec.trial_id,
        "attempt": outcome.attempt,
        "method": spec.method,
        "method_version": spec.method_version,
        "code_digest": facts.get("code_digest", ""),
        "dataset": spec.dataset,
        "dataset_digest": spec.dataset_digest,
        "protocol": spec.protocol,
        "seed_block": str(spec.seed_block),
        "seed": spec.seed,
        "n_epochs": spec.n_epochs,
        "precision": spec.precision,
        "stop": spec.stop,
        "declaration": spec.declaration,
        "config": canonical_json(dict(spec.config)),
        "state": str(outcome.state),
        "failure_kind": str(outcome.failure_kind) if outcome.failure_kind else "",
        "error": outcome.error,
        "collapsed": outcome.collapsed,
        "cost.seconds": cost.get("seconds"),
        "cost.peak_memory_bytes": cost.get("peak_memory_bytes"),
        "cost.gpu_seconds": cost.get("gpu_seconds"),
        "bundle_id": facts.get("bundle_id", ""),
        "bundle_size": facts.get("bundle_size"),
        "device": facts.get("device", ""),
        **{name: facts.get(name) for name in _PLAIN_FACTS},
        "started_at": _moment(facts.get("started_at")),
        "finished_at": _moment(facts.get("finished_at")),
        "git_commit": facts.get("git_commit", ""),
        "versions": _versions(facts.get("versions", {})),
    }


def _versions(value: str | Mapping[str, str]) -> str:
    return value if isinstance(value, str) else _versions_text(tuple(sorted(value.items())))


@lru_cache(maxsize=16)  # every trial of a run has the same
def _versions_text(items: tuple[tuple[str, str], ...]) -> str:
    return canonical_json(dict(items))


def _moment(value: object) -> datetime | None:
    """Return a point in time from POSIX seconds, ISO text or a datetime; naive ones are UTC."""
    if value is None:
        return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _knobs(configs: Sequence[Mapping[str, Any]]) -> dict[str, pa.Array]:
    names = set().union(*configs)
    return {f"knob.{name}": _typed(_column(configs, name)) for name in names}


def _metrics(rows: Sequence[Mapping[str, float]]) -> dict[str, pa.Array]:
    names = set().union(*rows)
    return {f"metric.{name}": pa.array(_column(rows, name), _NUMBER) for name in names}


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    return [row.get(name) for row in rows]


def _typed(values: Sequence[Any]) -> pa.Array:
    kinds = {bool: pa.bool_(), int: _WHOLE, float: _NUMBER, str: _TEXT, tuple: _TEXT, list: _TEXT}
    met = set(map(type, values)) - {type(None)}
    target = _unified({kinds[kind] for kind in met})
    if target == _TEXT:  # by way of scalars, so that mixed columns read alike whether mixed here or in `union`
        return pa.array([None if value is None else _as_text(value) for value in values], _TEXT)
    return pa.array(values, target)


def _as_text(value: Any) -> str:
    """Return a knob's value in a column of texts; a list as JSON."""
    if isinstance(value, tuple | list):
        return canonical_json(value)
    text: str = pa.scalar(value).cast(_TEXT).as_py()
    return text


def _unified(types: set[pa.DataType]) -> pa.DataType:
    if len(types) == 1:
        return next(iter(types))
    return _NUMBER if types == {_WHOLE, _NUMBER} else _TEXT


def metadata(table: str, **facts: object) -> dict[str, str]:
    """Return the key-value metadata that every file of the ledger carries."""
    return {"orchestrator": json.dumps({"table": table, "schema_version": SCHEMA_VERSION, **facts})}
