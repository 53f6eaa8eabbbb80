"""What study.json and the looks beside it hold: a record of somebody else's is checked before it is used.

The fields are listed in `orchestrator.study`; here is which values each may have. A field that is absent is no error
here (an earlier release may not have had it), and one that is unknown is left alone: a later one may.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

__all__ = ["command_problem", "record_problem"]

Schema = dict[str, Any]

_MOVES = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069"
"""Signs that move a terminal's cursor or turn the direction of writing."""


def _text(most: int, without: str) -> Schema:
    return {"type": "string", "maxLength": most, "pattern": rf"\A[^{without}]*\Z"}


NAME = _text(2_000, _MOVES + r"\t\n\u2028\u2029")
"""One line of text."""

TEXT = _text(200_000, _MOVES)
"""Several lines."""

ID = {"type": "string", "pattern": r"\A[0-9a-f]{20}\Z"}
BOOL = {"type": "boolean"}
NUMBER = {"type": "number"}
COUNT = {"type": "integer", "minimum": 0, "maximum": 10**9}
SEEDS = {"type": "integer", "minimum": 0, "maximum": 10**6}
VALUE = {"type": ["null", "boolean", "number", "string", "array"]}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _map(schema: Schema) -> Schema:
    return {"type": "object", "propertyNames": NAME, "additionalProperties": schema}


def _object(needed: Mapping[str, Schema], **optional: Schema) -> Schema:
    return {"type": "object", "required": list(needed), "properties": {**needed, **optional}}


_NAMES = ("name", "method", "dataset", "role", "factor", "level")

ARM = _object({**dict.fromkeys(_NAMES, NAME), "values": _map(VALUE)})

CONTRAST = _object({**dict.fromkeys(("name", "kind", "factor", "level", "dataset"), NAME), "weights": _map(NUMBER)})

TOLD = _object(
    {
        "number": COUNT,
        "values": _map(VALUE),
        "objective": _or_null(_list(NUMBER)),
        "state": NAME,
        "trial_ids": _list(ID),
    }
)

SEARCH = _object(
    {
        **dict.fromkeys(("method", "dataset", "sampler"), NAME),
        "rules": _list(NAME),
        "n_configurations": COUNT,
        "n_seeds": SEEDS,
        "space": _map({"type": ["string", "object"]}),
        "chosen": _or_null(_map(VALUE)),
        "chosen_number": _or_null(COUNT),
        "history": _list(TOLD),
    }
)

LOOK = _object({"at": NAME, "n_seeds": SEEDS}, planned=BOOL)

SEED_LIST = _object(
    {}, block=NAME, seeds=_list(SEEDS), looks=_or_null(_list(SEEDS)), planned=_or_null(_list(SEEDS))
)  # fmt: skip

PRICE = _object({}, n_trials=COUNT, seconds=_list(NUMBER), wall_seconds=_list(NUMBER), workers=COUNT)

SPENT = _object(
    {},
    at=NAME,
    trials=COUNT,
    **dict.fromkeys(("seconds", "wall_seconds", "start_seconds"), NUMBER),
    device_seconds={"type": "object", "additionalProperties": NUMBER},
    workers=COUNT,
    stopped=TEXT,
    priced=_or_null(PRICE),
)

RECORD = _object(
    {},
    **dict.fromkeys(("name", "paper", "tier", "metric", "protocol", "precision", "created_at", "command"), NAME),
    **dict.fromkeys(("git_commit", "finished_key"), NAME),
    question=TEXT,
    docstring=TEXT,
    exploratory=BOOL,
    alpha={"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    margin=_or_null({"type": "number", "exclusiveMinimum": 0}),
    beats_chance_by={"type": "number", "minimum": 0},
    chance=_map(_map(NUMBER)),
    declares=_list(NAME),
    metrics=_map(_map({"type": ["null", "boolean", "number", "string"]})),
    **dict.fromkeys(("labelled", "sought"), _map({**_list(COUNT), "minItems": 2, "maxItems": 2})),
    data_files=_map(NAME),
    datasets=_list(NAME),
    n_epochs=_or_null(COUNT),
    failure_budget=NUMBER,
    seeds=SEED_LIST,
    looks_taken=_list(LOOK),
    arms=_list(ARM),
    contrasts=_list(CONTRAST),
    searches=_list(SEARCH),
    versions=_map(NAME),
    equivalence=_object({}, checks=_list(_object({"equal": BOOL, "says": TEXT}, method=NAME, dataset=NAME))),
    runs=_list(SPENT),
    source=_object({"path": NAME, "digest": NAME}),
)


def record_problem(record: object) -> str:
    """Return what is wrong with a study's record, in a phrase that follows its file's name; empty: nothing."""
    from fastjsonschema import JsonSchemaValueException

    try:
        _validate()(record)
    except JsonSchemaValueException as error:
        return f"does not hold a study: {' '.join(str(error).replace('data', 'it', 1).split())[:300]}"
    assert isinstance(record, dict)  # says the schema
    return command_problem(record.get("command")) or _contrast_problem(record)


@cache
def _validate() -> Callable[[object], object]:
    from fastjsonschema import compile as compiled

    check: Callable[[object], object] = compiled({"$schema": "http://json-schema.org/draft-07/schema#", **RECORD})
    return check


def command_problem(command: str | None) -> str:
    """Return why a command is not shown as the one that trains a study: people paste it into a shell."""
    if command is None:
        return ""
    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    ours = words[:2] == ["orchestrate", "run"] and shlex.join(words) == command
    return "" if ours else f"names a command that is not an `orchestrate run`: {command[:80]!r}"


def _contrast_problem(record: Mapping[str, Any]) -> str:
    arms = {arm["name"] for arm in record.get("arms", ())}
    for contrast in record.get("contrasts", ()):
        strange = sorted(contrast["weights"].keys() - arms)
        if strange:
            return f"has a contrast of an arm that it does not have: {strange[0]!r}"
    return ""
