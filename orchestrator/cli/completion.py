"""What makes a shell complete what is typed: commands, their options, names of studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["SHELLS", "script"]

SHELLS = ("bash", "zsh", "fish")

BASH = """_{program}_words() {{
    local typed="${{COMP_WORDS[COMP_CWORD]}}" words
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="{commands} --help --version"
    else
        case "${{COMP_WORDS[1]}}" in
{cases}
        esac
        case "$typed" in -*) ;; *) words="$words {studies}" ;; esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$typed"))
}}
complete -o default -F _{program}_words {program}
"""


def script(shell: str, program: str, words: Mapping[str, Sequence[str]], studies: Sequence[str]) -> str:
    """Return the script of a shell; zsh takes that of bash.

    Args:
        shell: one of `SHELLS`.
        program: the command.
        words: command -> its options.
        studies: their names.
    """
    if shell == "fish":
        return _fish(program, words, studies)
    lines = [f'            {name}) words="{" ".join(options)}" ;;' for name, options in words.items()]
    text = BASH.format(program=program, commands=" ".join(words), cases="\n".join(lines), studies=" ".join(studies))
    return text if shell == "bash" else f"autoload -U +X bashcompinit && bashcompinit\n{text}"


def _fish(program: str, words: Mapping[str, Sequence[str]], studies: Sequence[str]) -> str:
    lines = [f"complete -c {program} -n __fish_use_subcommand -f -a '{' '.join(words)}'"]
    for name, options in words.items():
        here = f"complete -c {program} -n '__fish_seen_subcommand_from {name}'"
        lines += [f"{here} -l {option[2:]}" for option in options if option.startswith("--")]
    lines.append(f"complete -c {program} -n 'not __fish_use_subcommand' -a '{' '.join(studies)}'")
    return "\n".join(lines)
