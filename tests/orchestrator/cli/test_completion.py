"""Completion by real bash: what it offers after what is typed."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from orchestrator import __version__
from orchestrator.cli import main
from orchestrator.cli.commands import app
from orchestrator.cli.completion import SHELLS, script


def offered(typed):
    text = script("bash", "orchestrate", app.words(), ["quickstart", "hard_or_soft"])
    words = typed.split(" ")
    line = f"{text}\nCOMP_WORDS=({' '.join(map(repr, words))})\nCOMP_CWORD={len(words) - 1}\n"
    code = f'{line}_orchestrate_words\nprintf "%s\\n" "${{COMPREPLY[@]}}"'
    return subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_offers_commands_then_options_and_studies():
    assert {"run", "plan", "new"} <= set(offered("orchestrate "))
    assert offered("orchestrate --v") == ["--version"]
    assert offered("orchestrate ru") == ["run"]
    assert offered("orchestrate run qui") == ["quickstart"]
    assert offered("orchestrate run quickstart --add") == ["--address"]
    assert "--address" not in offered("orchestrate report --a")
    assert offered("orchestrate quickstart q") == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_offers_what_an_argument_or_an_options_value_may_be():
    assert offered("orchestrate new ") == ["study", "method", "script"]
    assert offered("orchestrate completion f") == ["fish"]
    assert offered("orchestrate run quickstart --device c") == ["cpu", "cuda"]
    assert offered("orchestrate status q") == ["quickstart"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_offers_no_study_where_none_is_taken():
    """Where nothing is offered, bash completes names of files."""
    for typed in ("doctor ", "trial q", "report --results ", "run --set ", "merge "):
        assert offered(f"orchestrate {typed}") == [], typed


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_has_a_script_and_another_one_is_refused(shell, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["completion", shell])
    assert ended.value.code == 0 and "quickstart" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["completion", "tcsh"])
    assert ended.value.code == 2 and "there are: bash, fish, zsh" in capsys.readouterr().err


def test_the_version_is_one_line(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"orchestrate {__version__}\n"


def test_a_command_that_is_nearly_one_is_answered_with_the_nearest(capsys):
    with pytest.raises(SystemExit):
        main(["studeis"])
    assert "the nearest: studies" in capsys.readouterr().err
