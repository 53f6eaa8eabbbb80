"""What makes a shell complete what is typed: commands, their options and what these may be, names of studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["SHELLS", "Words", "script"]

SHELLS = ("bash", "zsh", "fish")


@dataclass(frozen=True, kw_only=True)
class Words:
    """What may follow a command."""

    options: tuple[str, ...]
    """Every spelling of every option."""
    values: Mapping[str, tuple[str, ...]]
    """Option that takes a value -> what it may be; empty: anything, a file's name for one."""
    argument: tuple[str, ...] = ()
    """What its first argument may be; empty: anything."""
    takes_study: bool = False
    """Whether its first argument is a study."""


BASH = """_{program}_words() {{
    local typed="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" words="" options=""
    local studies="{studies}"
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="{commands}"
        options="--help --version"
    else
        case "${{COMP_WORDS[1]}} $before" in
{values}
        esac
        case "${{COMP_WORDS[1]}}" in
{cases}
        esac
    fi
    case "$typed" in -*) words="$options" ;; esac
    COMPREPLY=($(compgen -W "$words" -- "$typed"))
}}
complete -o default -F _{program}_words {program}
"""


def script(shell: str, program: str, words: Mapping[str, Words], studies: Sequence[str]) -> str:
    """Return the script of a shell; zsh takes that of bash.

    Args:
        shell: one of `SHELLS`.
        program: the command.
        words: command -> what may follow it.
        studies: their names.
    """
    if shell == "fish":
        return _fish(program, words, studies)
    values, cases = [], []
    for name, own in words.items():
        values += [_after_option(name, option, may) for option, may in own.values.items()]
        first = "$studies" if own.takes_study else " ".join(own.argument)
        cases.append(f'            {name}) words="{first}"; options="{" ".join(own.options)}" ;;')
    text = BASH.format(
        program=program,
        commands=" ".join(words),
        values="\n".join(values),
        cases="\n".join(cases),
        studies=" ".join(studies),
    )
    return text if shell == "bash" else f"autoload -U +X bashcompinit && bashcompinit\n{text}"


def _after_option(command: str, option: str, may: Sequence[str]) -> str:
    """Return what bash does after an option with a value; of one that may be anything it offers files."""
    offered = f'COMPREPLY=($(compgen -W "{" ".join(may)}" -- "$typed"))' if may else "COMPREPLY=()"
    return f'            "{command} {option}") {offered}; return ;;'


def _fish(program: str, words: Mapping[str, Words], studies: Sequence[str]) -> str:
    lines = [f"complete -c {program} -n __fish_use_subcommand -f -a '{' '.join(words)}'"]
    for name, own in words.items():
        here = f"complete -c {program} -n '__fish_seen_subcommand_from {name}'"
        for option in own.options:
            if option.startswith("--"):
                lines.append(f"{here} -l {option[2:]}{_fish_value(own.values.get(option))}")
        first = studies if own.takes_study else own.argument
        if first:
            lines.append(f"{here} -a '{' '.join(first)}'")
    return "\n".join(lines)


def _fish_value(may: Sequence[str] | None) -> str:
    if may is None:
        return ""
    return f" -x -a '{' '.join(may)}'" if may else " -r"
