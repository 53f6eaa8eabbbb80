"""What `--set NAME=VALUE` changes of a study: data, seeds, budget, protocol, precision, or a knob."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from orchestrator.designs.base import Design
from orchestrator.designs.search import Search
from orchestrator.errors import RequestError
from orchestrator.knobs import Value
from orchestrator.study.study import PROTOCOLS, Study
from orchestrator.trial import PRECISIONS

__all__ = ["with_settings"]


def with_settings(study: Study, settings: Sequence[str]) -> Study:
    """Return the study with `--set NAME=VALUE` applied, in order.

    Raises:
        RequestError: a setting that is not NAME=VALUE, an unknown name, a value of the wrong kind.
    """
    for setting in settings:
        name, separator, value = setting.partition("=")
        if not separator or not value:
            raise RequestError(f"--set {setting!r} is not NAME=VALUE")
        change = SETTINGS.get(name)
        study = change(study, value) if change is not None else _with_knob(study, name, value)
    return replace(study, settings=(*study.settings, *settings))


def _with_datasets(study: Study, value: str) -> Study:
    return replace(study, datasets=tuple(value.split("+")))


def _with_seeds(study: Study, value: str) -> Study:
    return replace(study, seeds_by_hand=_whole_number("seeds", value))


def _with_epochs(study: Study, value: str) -> Study:
    return replace(study, n_epochs=_whole_number("epochs", value))


def _with_precision(study: Study, value: str) -> Study:
    return replace(study, precision=_one_of("precision", value, PRECISIONS))


def _with_protocol(study: Study, value: str) -> Study:
    return replace(study, protocol=_one_of("protocol", value, PROTOCOLS))


def _with_warm_start(study: Study, value: str) -> Study:
    """Return the study whose searches begin from up to so many earlier configurations."""
    number = _whole_number("warm_start", value)
    if not study.searches():
        raise RequestError(f"--set warm_start={number}: study {study.name} has no search")

    def warm(search: Search) -> Search:
        changed = replace(search, warm_start=number)
        changed.check()
        return changed

    return study.with_designs([design.with_search(warm) for design in study.designs])


SETTINGS: Mapping[str, Callable[[Study, str], Study]] = {
    "dataset": _with_datasets,
    "datasets": _with_datasets,
    "seeds": _with_seeds,
    "epochs": _with_epochs,
    "n_epochs": _with_epochs,
    "precision": _with_precision,
    "protocol": _with_protocol,
    "warm_start": _with_warm_start,
}
"""What is no knob."""


def _with_knob(study: Study, name: str, value: str) -> Study:
    """Return the study with a knob (KNOB, or METHOD.KNOB) set in every design over its method."""
    method, _, knob = name.rpartition(".")
    designs: list[Design] = []
    hit = False
    for design in study.designs:
        changed = design.with_base({knob: _parsed(value)}) if method in ("", design.method) else None
        hit = hit or changed is not None
        designs.append(changed or design)
    if not hit:
        allowed = "dataset, seeds, epochs, precision, protocol, warm_start and METHOD.KNOB of this study"
        raise RequestError(f"--set {name}={value}: allowed are {allowed}")
    return study.with_designs(designs)


def _whole_number(name: str, value: str) -> int:
    if not value.isdigit():
        raise RequestError(f"--set {f'{name}={value}'!r}: {name} is a whole number")
    return int(value)


def _one_of(name: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise RequestError(f"--set {f'{name}={value}'!r}: allowed are {', '.join(allowed)}")
    return value


def _parsed(value: str) -> Value:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(value.lower(), value)
