"""Dataclasses become command lines: defaults, kinds, bounds, switches; wrong use is named with what is allowed."""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest

from orchestrator.cli.command_line import Argument, CommandLine, Option
from orchestrator.errors import RequestError, UnknownNameError


@dataclass(frozen=True, kw_only=True)
class Bake:
    bread: Annotated[str, Argument(metavar="BREAD", help="what is baked")]
    tin: Annotated[Path | None, Argument(metavar="TIN")] = None
    heat: Annotated[int, Option(min=50, max=300, help="100 % is hot")] = 200
    hours: Annotated[float, Option("--for", min=0)] = 1.0
    seeds: Annotated[list[str], Option("--with", help="what is in it")] = field(default_factory=list)
    crust: Annotated[bool, Option("--crust/--no-crust")] = True
    quiet: bool = False


def baked(*arguments):
    given = []
    line = CommandLine("kitchen", "Bakes.")

    @line.command(Bake)
    def bake(options):
        """Bake a bread, of any kind."""
        given.append(options)

    line.run(["bake", *arguments])
    return given[0] if given else None


def test_what_is_not_given_has_the_default_of_its_field():
    assert baked("rye") == Bake(bread="rye")


def test_options_stand_before_between_and_behind_arguments():
    expected = Bake(
        bread="rye", tin=Path("big"), heat=180, hours=0.5, seeds=["flax", "sesame"], crust=False, quiet=True
    )
    options = ["--heat=180", "--for", "0.5", "--with", "flax", "--with", "sesame", "--no-crust", "--quiet"]
    assert baked("rye", "big", *options) == expected
    assert baked(*options, "rye", "big") == expected
    assert baked(*options[:3], "rye", *options[3:], "big") == expected


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rye", "--heat", "much"], "--heat 'much': allowed are whole numbers from 50 to 300"),
        (["rye", "--heat", "301"], "--heat 301: allowed are whole numbers from 50 to 300"),
        (["rye", "--for", "nan"], "--for nan: allowed are numbers from 0"),
        (["rye", "--for", "-1"], "--for -1: allowed are numbers from 0"),
        (
            ["rye", "--hea", "100"],
            "unknown option of kitchen bake '--hea'; the nearest: --heat, --help; there are: --crust",
        ),
        (["rye", "--sugar=3"], "unknown option of kitchen bake '--sugar'"),
        (["rye", "big", "small"], "'small' is one argument too many"),
        (["rye", "--with"], "--with: expected one argument"),
        ([], "required: BREAD"),
    ],
)
def test_wrong_use_is_named(arguments, says):
    with pytest.raises(RequestError) as caught:
        baked(*arguments)
    assert says in str(caught.value)


def test_a_command_that_does_not_exist_is_named_with_those_that_do():
    line = CommandLine("kitchen", "Bakes.")

    @line.command(Bake)
    def bake(options):
        """Bake."""

    with pytest.raises(UnknownNameError, match="unknown command 'fry'; there are: bake"):
        line.run(["fry"])


@pytest.mark.parametrize("place", [0, 1, 3])
def test_help_is_printed_wherever_it_is_asked_for(place, capsys):
    arguments = ["rye", "--heat", "77"]
    assert baked(*arguments[:place], "--help", *arguments[place:]) is None
    said = capsys.readouterr().out
    for part in ("Bake a bread, of any kind.", "BREAD", "--no-crust", "100 % is hot (default: 200)", "may be repeated"):
        assert part in said


def test_the_program_without_a_command_lists_its_commands():
    done = subprocess.run([sys.executable, "-m", "orchestrator"], capture_output=True, text=True, check=True)
    assert {"studies", "plan", "run", "doctor"} <= {
        line.split()[0] for line in done.stdout.splitlines() if line.strip()
    }


def test_help_loads_no_library():
    code = (
        "import sys; from orchestrator.cli import commands; commands.app.run(['run', '--help']); "
        "print({'numpy', 'pyarrow', 'rich', 'torch', 'ray', 'pandas', 'scipy'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "set()"
