"""A command line with places in it: `python train.py --epochs {n_epochs}`, and how knobs and the seed are put in."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from orchestrator.errors import RequestError, shown
from orchestrator.values import Value

__all__ = ["FORMS", "PLACES", "Filled", "filled", "places_in", "put", "split"]

FORMS = ("arguments", "overrides", "environment", "file")
"""How what has no place of its own is passed on: `--lr 0.1`, `lr=0.1`, the variable LR, a JSON file at `{config}`."""

PLACES: Mapping[str, str] = {
    "seed": "the seed of the trial, below 2 to the 31",
    "n_epochs": "its epochs",
    "dataset": "the reference of the study's dataset",
    "data": "a file with the dataset's points: x, x_test under the protocol split, n_clusters (.npz)",
    "n_clusters": "how many clusters the study looks for in the points at {data}",
    "config": "a JSON file with knobs, seed and epochs",
    "out": "a folder for whatever it writes, deleted when it has ended",
    "checkpoint": "a folder that is there again when the trial is started again",
    "keep": "a folder for what is kept: assignments.npy, embeddings.npy, weights",
    "gpus": "how many GPUs it has",
    "cores": "how many cores it has",
}
"""Names in braces that a line may hold beside knobs and files."""

_PLACE = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_-]*)\}")
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


class Filled(NamedTuple):
    """A command line ready to run."""

    words: list[str]
    environment: dict[str, str]
    """Variables beside those of the process that starts it."""
    config: str
    """Content of the JSON file at `{config}`."""


def split(line: str, who: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the words of a line, and the variables that stand before the first of them.

    Raises:
        RequestError: there is none, or a quotation mark has no other one.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise RequestError(f"{who}: {shown(line)}: {error}") from None
    environment = {}
    while words and (found := _VARIABLE.fullmatch(words[0])):
        environment[found[1]] = found[2]
        del words[0]
    if not words:
        raise RequestError(f"{who}: {shown(line)} is no command line, such as 'python train.py --epochs {{n_epochs}}'")
    return tuple(words), environment


def places_in(texts: Sequence[str]) -> set[str]:
    """Return the names in braces; `{{` and `}}` are braces."""
    return {found[1] for text in texts for found in _PLACE.finditer(text) if found[1]}


def filled(asks: Mapping[str, Any], knobs: Mapping[str, Value], places: Mapping[str, Value]) -> Filled:
    """Return the command line of a trial.

    Args:
        asks: what `command` wrote down: words, environment, form, seed, spelled, switches.
        knobs: name -> canonical value.
        places: what stands in places beside knobs (`PLACES`, files), seed and n_epochs among them.
    """
    values = {**places, **knobs}
    words = [put(word, values) for word in asks["words"]]
    environment = {name: put(text, values) for name, text in asks["environment"].items()}
    named = places_in([*asks["words"], *asks["environment"].values()])
    left = {name: value for name, value in knobs.items() if name not in named}
    seed = {asks["seed"]: places["seed"]} if asks["seed"] and "seed" not in named else {}
    if asks["form"] == "arguments":
        for name, value in left.items():
            words += _arguments(asks["spelled"].get(name, f"--{name}"), asks["switches"].get(name, "switch"), value)
        words += [part for option, value in seed.items() for part in (option, _text(value))]
    elif asks["form"] == "overrides":
        words += [f"{name}={_override(value)}" for name, value in {**left, **seed}.items()]
    elif asks["form"] == "environment":
        found = {_variable(name): value for name, value in {**left, **seed}.items()}
        environment |= {name: _text(value) for name, value in found.items() if value is not None}
    whole = {**knobs, **{name: places[name] for name in ("seed", "n_epochs", "dataset")}}
    return Filled(words, environment, json.dumps(whole))


def put(word: str, values: Mapping[str, Value]) -> str:
    """Return a text with values in its places."""
    return _PLACE.sub(lambda found: found[0][0] if found[1] is None else _text(values[found[1]]), word)


def _arguments(option: str, switch: str, value: Value) -> list[str]:
    """Return the words that pass a knob on; none for None, and for a switch that is off."""
    if value is None:
        return []
    if isinstance(value, bool) and switch == "absence":
        return [] if value else [option]
    if isinstance(value, bool) and switch != "value":
        off = [f"--no-{option.lstrip('-')}"] if switch == "pair" else []
        return [option] if value else off
    if isinstance(value, tuple) and switch == "each":
        return [word for one in value for word in (option, _text(one))]
    if isinstance(value, tuple):
        return [option, *map(_text, value)]
    text = _text(value)
    return [f"{option}={text}"] if text.startswith("-") else [option, text]


def _text(value: Value) -> str:
    """Return a value as most programs read it: 0.1, true, null, [64, 64]."""
    if isinstance(value, str):
        return value
    return json.dumps(value)


def _override(value: Value) -> str:
    """Return a value as Hydra reads it; a text of anything but letters, digits and `_./:+-` in quotation marks."""
    if isinstance(value, tuple):
        return f"[{','.join(map(_override, value))}]"
    if isinstance(value, str) and not re.fullmatch(r"[\w./:+-]*", value):
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{quoted}'"
    return _text(value)


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
