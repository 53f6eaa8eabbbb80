"""Every command of examples/README.md runs as it is printed, and ends in an answer."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"

COMMANDS = re.findall(r"\| `(orchestrate .*?)` \|$", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_page_names_every_example():
    named = set(re.findall(r"^\| `(.*?)` \|", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    there = {path.name + "/" * path.is_dir() for path in FOLDER.iterdir() if path.suffix in (".py", "")}
    assert named == {name for name in there if not name.startswith((".", "__pycache__"))}


SLOW = "own_script/"
"""Each of its trials is a process that imports torch."""

MARKS = {SLOW: (pytest.mark.slow, pytest.mark.sample)}


def marked(command):
    folder = f"{command.split()[2].partition('/')[0]}/"
    return pytest.param(command, marks=MARKS.get(folder, ()))


@pytest.mark.parametrize("command", map(marked, COMMANDS))
def test_the_command_of_an_example_ends_in_an_answer(command, tmp_path):
    if "lightning" in command:
        pytest.importorskip("lightning")
    _, *words = shlex.split(command)
    words += ["--results", str(tmp_path), "--no-notebook"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FOLDER.parent), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", *words],
        cwd=FOLDER,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1_200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "vs baseline" in done.stdout or "baseline" in done.stdout
    (record,) = (tmp_path / "studies").iterdir()
    assert (record / "report.html").is_file() and (record / "tables" / "contrasts.csv").is_file()
