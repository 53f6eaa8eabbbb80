"""A script as it is: a method that is a command line.

    MINE = command("python train.py --epochs {n_epochs}", knobs={"lr": Float(1e-4, 1e-1, log=True)}, n_epochs=20)

Each trial is one process (its own process group). Knobs and the seed are passed as the script's options; what it
prints as JSON lines, writes into a file or sends by `orchestrator.report` are its metrics. Nothing is run to plan it:
options and defaults are read from the script's text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

from orchestrator.allowed import allowed, many, mapping, one_of, optional, text, whole
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.own.declared import Declared, MethodName, folder_of_file
from orchestrator.own.options import KNOBS, Common, knobs_from, made, name_or
from orchestrator.own.script_files import sources_of
from orchestrator.own.script_options import ScriptOption, options_of
from orchestrator.own.template import FORMS, PLACES, places_in, split

__all__ = ["command"]


LINE = text("a command line", lines=True, most=10_000)


@dataclass(frozen=True, kw_only=True)
class _Command(Common):
    kind: ClassVar[str] = "command"

    line: str = field(metadata=allowed(LINE))
    form: str = field(default="arguments", metadata=allowed(one_of(FORMS, "form")))
    seed: str = field(default="--seed", metadata=allowed(text("the option that takes the seed", empty=True)))
    files: Mapping[str, str] = field(default_factory=dict, metadata=allowed(mapping(text("a path"), "name -> path")))
    code: tuple[str, ...] = field(default=(), metadata=allowed(many(text("a path"), "paths of files that it runs")))
    first_epoch: int | None = field(default=None, metadata=allowed(optional(whole(0, 1))))
    metrics_file: str = field(default="", metadata=allowed(text("a path", empty=True)))
    folder: str = field(default="", metadata=allowed(text("a path", empty=True, most=4_096)))
    predict: str = field(default="", metadata=allowed(text("a command line", empty=True, lines=True, most=10_000)))


def command(line: str, *, knobs: Mapping[str, object], name: str = "", **options: object) -> MethodName:
    """Return the method that a command line is.

    Args:
        line: with places in braces (`PLACES` of `template`, knobs, `files`); what has none is appended by `form`.
        knobs: name -> `knob(DEFAULT, DOMAIN)`, or a domain alone where the script's argparse says the default.
        name: of the method; empty: that of the script.
        options: `n_epochs` (how many evaluations a trial has; passed on at `{n_epochs}`), `metrics` (metric -> facts:
            does it read labels, is it a share, chance), `seed` (the option that takes it; empty: none), `form`,
            `files` (place -> path of data that it reads; other content is another trial), `code` (what it runs
            beside what it imports), `first_epoch` (the number of its first epoch, if it does not say 0 first),
            `metrics_file` (JSON or JSON lines that it writes), `folder` (where it runs),
            `gpus`, `cores`, `tolerance` (of `orchestrate verify`), `version`, `predict` (a line for
            `orchestrate predict`, with `{weights}`, `{data}` and `{out}`).

    Raises:
        RequestError: one line that names the value and what is allowed.
    """
    found = made(_Command, options, line=line, name=name_or(name, _name_of(LINE.accept(line, "command: line"))))
    words, environment = split(found.line, found.called)
    folder = Path(folder_of_file(), found.folder).resolve()
    sources = sources_of(words, folder, found.files, found.code, found.called)
    known = _script_options(found, sources.code)
    spelled = {knob: known[_key(knob)] for knob in KNOBS.accept(knobs, f"{found.called}: knobs") if _key(knob) in known}
    defaults = {knob: option.default for knob, option in spelled.items() if option.has_default}
    space = knobs_from(knobs, defaults, found.called)
    named = places_in([*words, *environment.values()])
    _require_places(found, named, space)
    _require_prediction(found, space)
    _require_options(found, set(space) - named - set(spelled), named, known)
    return MethodName(
        Declared(
            name=found.name,
            adapter="command",
            knobs=space,
            asks=_asks(found, words, environment, spelled, named),
            folder=str(folder),
            code=_as_texts(sources.code),
            data=_as_texts(sources.data),
            metrics=found.metrics,
            n_epochs=found.n_epochs,
            version=found.version,
            takes_data="data" in named,
            takes_dataset=bool({"data", "dataset"} & named) or found.form == "file",
            takes_epochs="n_epochs" in named or found.form == "file",
            gpus=found.gpus,
            cores=found.cores,
            tolerance=found.tolerance,
        )
    )


def _script_options(found: _Command, code: Mapping[str, Path]) -> Mapping[str, ScriptOption]:
    """Return the options that the text of the scripts says, by name; none where knobs are passed in another form."""
    if found.form != "arguments":
        return {}
    return options_of(path for label, path in code.items() if label.endswith(".py"))


def _as_texts(paths: Mapping[str, Path]) -> dict[str, str]:
    return {label: str(path) for label, path in paths.items()}


def _asks(
    found: _Command,
    words: tuple[str, ...],
    environment: Mapping[str, str],
    spelled: Mapping[str, ScriptOption],
    named: set[str],
) -> dict[str, Any]:
    return {
        "words": list(words),
        "environment": dict(environment),
        "form": found.form,
        "seed": "" if "seed" in named or found.form == "file" else _seed_option(found),
        "spelled": {knob: option.spelled for knob, option in spelled.items() if option.spelled != f"--{knob}"},
        "switches": {knob: option.switch for knob, option in spelled.items()},
        "files": dict(found.files),
        "metrics_file": found.metrics_file,
        "first_epoch": found.first_epoch,
        "predict": found.predict,
    }


def _seed_option(found: _Command) -> str:
    """Return how the seed is passed: as an option, or by its bare name."""
    return found.seed if found.form == "arguments" else found.seed.lstrip("-")


def _name_of(line: str) -> str:
    """Return the name of the script in a line, or of the program."""
    words, _ = split(line, "command")
    scripts = [Path(word).stem for word in words if word.endswith(".py")]
    modules = [after.split(".")[-1] for word, after in pairwise(words) if word == "-m"]
    return (scripts or modules or [Path(words[0]).stem])[0]


def _key(knob: str) -> str:
    return knob.replace("-", "_")


def _require_places(found: _Command, named: set[str], knobs: Mapping[str, object]) -> None:
    """Refuse places that nothing stands in, and files that no place takes.

    Raises:
        RequestError: one line that names the place.
    """
    known = {*PLACES, *knobs, *found.files}
    for place in sorted(named - known):
        raise UnknownNameError(f"place in {found.called}", place, known)
    known -= {"data"} - named  # the file of points is made for a line that names it
    for place in sorted(places_in([found.metrics_file]) - known):
        raise UnknownNameError(f"place in metrics_file of {found.called}", place, known)
    for place in found.files:
        if place in PLACES or place in knobs:
            raise RequestError(f"{found.called}: files: {place!r} is the name of a knob or of a place already")
    if "n_clusters" in named - {*knobs, *found.files} and "data" not in named:
        raise RequestError(f"{found.called}: {{n_clusters}} is of the study's points: its line takes {{data}} too")
    if found.form == "file" and "config" not in named:
        raise RequestError(f"{found.called}: form 'file' writes a file; say where its path goes: {{config}}")


def _require_prediction(found: _Command, knobs: Mapping[str, object]) -> None:
    """Refuse a line for predictions that does not say where its result goes, or has places that nothing stands in.

    Raises:
        RequestError: one line that names the place.
    """
    if not found.predict:
        return
    words, variables = split(found.predict, f"{found.called}: predict")
    named, known = places_in([*words, *variables.values()]), {"weights", "data", "out", *knobs, *found.files}
    for place in sorted(named - known):
        raise UnknownNameError(f"place in predict of {found.called}", place, known)
    for place in sorted({"weights", "data", "out"} - named):
        raise RequestError(f"{found.called}: predict has no place {{{place}}}; it needs {{weights}}, {{data}}, {{out}}")


def _require_options(found: _Command, absent: set[str], named: set[str], known: Mapping[str, ScriptOption]) -> None:
    """Refuse options that the script does not have, where its text says which it has.

    Raises:
        UnknownNameError: names those that there are.
        RequestError: the script takes no seed, and nothing was said of that.
    """
    if not known:
        return
    for knob in sorted(absent):
        raise UnknownNameError(f"option of {found.called}", f"--{knob}", [one.spelled for one in known.values()])
    seed = found.seed.lstrip("-").replace("-", "_")
    if found.seed and "seed" not in named and seed not in known:
        raise RequestError(
            f"{found.called}: the script has no option {found.seed}; name the one that takes the seed (seed='--rng'), "
            "put {seed} into the line, or say seed='' if every trial is the same"
        )
