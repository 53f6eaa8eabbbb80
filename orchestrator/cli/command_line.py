"""A command line made of dataclasses: the fields of a command's options are its options and arguments.

A field's annotation holds an `Option` or an `Argument` (`Annotated[int, Option(help="...")]`); its default is theirs.
Built on argparse: a library that parses by annotations loads for longer than a list of studies takes to be shown.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from orchestrator.cli.completion import Words
from orchestrator.cli.output import say
from orchestrator.errors import RequestError, UnknownNameError, shown

__all__ = ["Argument", "CommandLine", "Option"]

Options = TypeVar("Options")

NUMBERS = {int: "whole numbers", float: "numbers"}
METAVARS = {int: "N", float: "NUMBER", Path: "PATH"}


@dataclass(frozen=True, init=False)
class Option:
    """An option: its names (none: that of the field; `--yes/--no`: a switch with two sides), and what it may be."""

    names: tuple[str, ...]
    help: str
    min: float | None
    max: float | None
    among: tuple[str, ...]
    """Of a text: what it may be; empty: anything."""

    def __init__(
        self,
        *names: str,
        help: str = "",
        min: float | None = None,
        max: float | None = None,
        among: tuple[str, ...] = (),
    ) -> None:
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "help", help)
        object.__setattr__(self, "min", min)
        object.__setattr__(self, "max", max)
        object.__setattr__(self, "among", among)


@dataclass(frozen=True, kw_only=True)
class Argument:
    """An argument, which a field without a default requires."""

    metavar: str
    help: str = ""
    among: tuple[str, ...] = ()
    """What it may be, for shells that complete it; empty: anything. Of a `STUDY` the names of studies."""


@dataclass(frozen=True)
class _Command:
    function: Callable[[Any], None]
    kind: type

    @property
    def summary(self) -> str:
        """What it does, in the words of its docstring."""
        return " ".join((self.function.__doc__ or "").split())


class CommandLine:
    """The commands of a program.

    Args:
        program: its name.
        about: what it is for, in one sentence.
        version: what `--version` prints after its name.
    """

    def __init__(self, program: str, about: str, version: str = "") -> None:
        self.program, self.about, self.version = program, about, version
        self._commands: dict[str, _Command] = {}

    def command(self, kind: type[Options]) -> Callable[[Callable[[Options], None]], Callable[[Options], None]]:
        """Return a decorator that makes a function of one options value a command, under its own name."""

        def decorate(function: Callable[[Options], None]) -> Callable[[Options], None]:
            self._commands[function.__name__] = _Command(function, kind)
            return function

        return decorate

    def run(self, arguments: Sequence[str]) -> None:
        """Run the command that is named first, or print the help that is asked for.

        Raises:
            RequestError: there is no such command, option or value; the line names it and what is allowed.
        """
        name, *rest = arguments or ("--help",)
        if name == "--version":
            say(f"{self.program} {self.version}")
            return
        if name in ("--help", "-h"):
            say(self._overview())
            return
        if name not in self._commands:
            raise UnknownNameError("command", name, self._commands)
        if {"--help", "-h"} & set(rest):
            say(self.help_of(name))
            return
        command = self._commands[name]
        command.function(command.kind(**self._parsed(name, rest)))

    def words(self) -> dict[str, Words]:
        """Return command -> what may follow it, for shells that complete what is typed."""
        return {name: self._words(name) for name in self._commands}

    def _words(self, name: str) -> Words:
        parser = self._parser(name)
        hows = _hows(self._commands[name].kind)
        arguments = [how for how in hows.values() if isinstance(how, Argument)]
        among = {field: how.among for field, how in hows.items()}
        values = {}
        for action in parser.taking_a_value():
            values.update(dict.fromkeys(action.option_strings, among[action.dest]))
        return Words(
            options=tuple(sorted(parser.options())),
            values=values,
            argument=arguments[0].among if arguments else (),
            takes_study=bool(arguments) and arguments[0].metavar.strip("[]") == "STUDY",
        )

    def help_of(self, name: str) -> str:
        """Return the help of a command."""
        return self._parser(name).format_help()

    def _overview(self) -> str:
        width = shutil.get_terminal_size().columns - 2
        longest = max(map(len, self._commands))
        lines = [f"usage: {self.program} COMMAND ...", "", self.about, ""]
        for name, command in self._commands.items():
            line = f"  {name:<{longest}}  {command.summary}"
            lines.append(line if len(line) <= width else f"{line[: width - 3].rstrip()}...")
        return "\n".join([*lines, "", f"{self.program} COMMAND --help says what a command takes."])

    def _parsed(self, name: str, given: Sequence[str]) -> dict[str, Any]:
        parser = self._parser(name)
        found, strange = parser.parse_known_intermixed_args(given)
        if strange:
            if strange[0].startswith("-"):
                option = strange[0].partition("=")[0]
                raise UnknownNameError(f"option of {self.program} {name}", option, parser.options())
            raise RequestError(f"{strange[0]!r} is one argument too many; orchestrate {name} --help says what it takes")
        return vars(found)

    def _parser(self, name: str) -> _Parser:
        command = self._commands[name]
        parser = _Parser(
            usage=f"{self.program} {name} [OPTIONS]{_arguments(command.kind)}",
            description=command.summary,
            add_help=False,
            allow_abbrev=False,
            argument_default=argparse.SUPPRESS,
        )
        parser.add_argument("--help", "-h", action="store_true", help="show this text and end")
        hints = get_type_hints(command.kind, include_extras=True)
        for field in dataclasses.fields(command.kind):
            _add(parser, field, *_annotated(hints[field.name]))
        return parser


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are the program's own."""

    def error(self, message: str) -> Any:
        raise RequestError(message)

    def options(self) -> list[str]:
        """Return every spelling of every option."""
        found: list[str] = []
        for action in self._actions:
            found += action.option_strings
        return found

    def taking_a_value(self) -> list[argparse.Action]:
        """Return the options after which a value stands."""
        return [action for action in self._actions if action.option_strings and action.nargs != 0]


def _hows(kind: type) -> dict[str, Option | Argument]:
    """Return how each field of a command's options is given, in order."""
    return {name: _annotated(hint)[1] for name, hint in get_type_hints(kind, include_extras=True).items()}


def _annotated(hint: Any) -> tuple[Any, Option | Argument]:
    """Return the plain type of a field (of an optional one without None), and how it is given."""
    plain, how = hint, Option()
    if hasattr(hint, "__metadata__"):
        plain, how = get_args(hint)[0], hint.__metadata__[0]
    if get_origin(plain) is types.UnionType:
        (plain,) = (one for one in get_args(plain) if one is not type(None))
    return plain, how


def _add(parser: argparse.ArgumentParser, field: dataclasses.Field[Any], kind: Any, how: Option | Argument) -> None:
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    shown = default not in (None, "", False, dataclasses.MISSING) and default != []
    text = f"{how.help} (default: {default})".replace("%", "%%") if shown else how.help.replace("%", "%%")
    if isinstance(how, Argument):
        required = default is dataclasses.MISSING
        given: dict[str, Any] = {} if required else {"nargs": "?", "default": default}
        parser.add_argument(field.name, metavar=how.metavar, help=text, type=kind, **given)
        return
    names = how.names or (f"--{field.name.replace('_', '-')}",)
    if kind is bool:
        yes, _, no = names[0].partition("/")
        action: Any = argparse.BooleanOptionalAction if no else "store_true"
        parser.add_argument(yes, dest=field.name, action=action, help=text)
    elif get_origin(kind) is list:
        parser.add_argument(*names, dest=field.name, action="append", metavar="TEXT", help=f"{text}; may be repeated")
    else:
        reader, metavar = _reader(names[0], kind, how), METAVARS.get(kind, "TEXT")
        parser.add_argument(*names, dest=field.name, type=reader, metavar=metavar, help=text)


def _arguments(kind: type) -> str:
    """Return the arguments of a command as its usage has them."""
    return "".join(f" {how.metavar}" for how in _hows(kind).values() if isinstance(how, Argument))


def _reader(name: str, kind: Any, how: Option) -> Callable[[str], Any]:
    """Return what makes a value of an option's text."""
    if kind not in NUMBERS:
        return lambda text: _checked_text(name, text, kind, how)

    def read(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            raise RequestError(f"{name} {shown(text)}: allowed are {_allowed(kind, how)}") from None
        if (
            not isfinite(value)
            or (how.min is not None and not value >= how.min)
            or (how.max is not None and not value <= how.max)
        ):
            raise RequestError(f"{name} {text[:40]}: allowed are {_allowed(kind, how)}")
        return value

    return read


def _checked_text(name: str, text: str, kind: Any, how: Option) -> Any:
    """Return a text, or the path that it is."""
    if how.among and text not in how.among:
        raise UnknownNameError(f"value of {name}", text, how.among)
    if kind is Path and (not text or "\0" in text):
        raise RequestError(f"{name} {shown(text)}: allowed is a path")
    return Path(text) if kind is Path else text


def _allowed(kind: Any, how: Option) -> str:
    low = "" if how.min is None else f" from {how.min:.12g}"
    return NUMBERS[kind] + low + ("" if how.max is None else f" to {how.max:.12g}")
