"""What `--set NAME=VALUE` changes of a study: data, seeds, budget, protocol, precision, or a knob."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from orchestrator.dataset_name import with_option
from orchestrator.designs.base import Design
from orchestrator.errors import RequestError, UnknownNameError, shown
from orchestrator.study.study import Study
from orchestrator.values import Value, plain

__all__ = ["check_settings", "with_settings"]

MOST_DIGITS = 9


def with_settings(study: Study, settings: Sequence[str]) -> Study:
    """Return the study with `--set NAME=VALUE` applied, in order.

    Raises:
        RequestError: a setting that is not NAME=VALUE, an unknown name, a value of the wrong kind.
    """
    for setting in sorted(settings, key=lambda one: not one.startswith("metric=")):  # a margin is in its units
        name, separator, value = setting.partition("=")
        if not separator or not value:
            raise RequestError(f"--set {shown(setting)} is not NAME=VALUE")
        change = SETTINGS.get(name)
        try:
            study = change(study, value) if change is not None else _with_knob(study, name, value)
        except RequestError as error:
            raise RequestError(f"--set {shown(setting)}: {error}") from None
    return replace(study, settings=(*study.settings, *settings))


def _with_datasets(study: Study, value: str) -> Study:
    one_file = os.path.exists(value.partition(":")[0])
    return replace(study, datasets=(value,) if one_file else tuple(value.split("+")))


def _with_seeds(study: Study, value: str) -> Study:
    return replace(study, seeds_by_hand=_whole_number("seeds", value))


def _with_epochs(study: Study, value: str) -> Study:
    return replace(study, n_epochs=_whole_number("epochs", value))


def _with_precision(study: Study, value: str) -> Study:
    return replace(study, precision=value)


def _with_keep(study: Study, value: str) -> Study:
    return replace(study, keep=value)


def _with_protocol(study: Study, value: str) -> Study:
    return replace(study, protocol=value)


def _with_metric(study: Study, value: str) -> Study:
    """Return the study about another metric; what it stated in units of its own metric holds no more."""
    return study if value == study.metric else replace(study, metric=value, margin=None)


def _with_margin(study: Study, value: str) -> Study:
    return replace(study, margin=_parsed(value))  # type: ignore[arg-type]  # the field's rule checks it


def _with_beats_chance_by(study: Study, value: str) -> Study:
    return replace(study, beats_chance_by=_parsed(value))  # type: ignore[arg-type]  # the field's rule checks it


def _with_clusters(study: Study, value: str) -> Study:
    """Return the study whose methods look for so many clusters, whatever the number of classes."""
    number = _whole_number("clusters", value)
    return replace(study, datasets=tuple(with_option(one, "clusters", str(number)) for one in study.datasets))


def _with_warm_start(study: Study, value: str) -> Study:
    """Return the study whose searches begin from up to so many earlier configurations."""
    number = _whole_number("warm_start", value)
    if not study.searches():
        raise RequestError(f"{study.called} has no search")
    return study.with_designs(
        [design.with_search(lambda search: replace(search, warm_start=number)) for design in study.designs]
    )


SETTINGS: Mapping[str, Callable[[Study, str], Study]] = {
    "dataset": _with_datasets,
    "datasets": _with_datasets,
    "seeds": _with_seeds,
    "epochs": _with_epochs,
    "n_epochs": _with_epochs,
    "precision": _with_precision,
    "protocol": _with_protocol,
    "keep": _with_keep,
    "warm_start": _with_warm_start,
    "metric": _with_metric,
    "margin": _with_margin,
    "beats_chance_by": _with_beats_chance_by,
    "clusters": _with_clusters,
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
        known = [*SETTINGS, *(f"{method}.KNOB" for method in study.methods)]
        raise UnknownNameError(f"setting of {study.called}", name, known)
    return study.with_designs(designs)


def check_settings(study: Study, knobs_of: Callable[[str], Collection[str]]) -> None:
    """Refuse a setting that names no knob of the methods it is meant for.

    Args:
        study: with its settings applied.
        knobs_of: method -> names of its knobs.

    Raises:
        UnknownNameError: no such knob, nor anything else that can be set; names the nearest.
        RequestError: a knob of one method of several, without the method's name.
    """
    for setting in study.settings:
        name = setting.partition("=")[0]
        if name in SETTINGS:
            continue
        method, _, knob = name.rpartition(".")
        meant = [method] if method else list(study.methods)
        having = [one for one in meant if knob in knobs_of(one)]
        if not having:
            known = [*SETTINGS, *chain.from_iterable(map(knobs_of, meant))]
            raise UnknownNameError("knob or setting", name, known)
        if len(having) < len(meant):
            raise RequestError(f"--set {name}: not every method of the study has this knob; say {having[0]}.{name}")


def _whole_number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) <= MOST_DIGITS):
        raise RequestError(f"{name} is a whole number of at most {MOST_DIGITS} digits")
    return int(value)


def _parsed(value: str) -> Value:
    """Return a value as it is written: a number, true, false, null, a list in brackets, or else a text."""
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    if value.lower() in ("true", "false", "null") or value[0] == "[":
        try:
            return plain(json.loads(value if value[0] == "[" else value.lower()))
        except (ValueError, RecursionError):
            raise RequestError("the value is no list of numbers and texts in JSON") from None
    return value
