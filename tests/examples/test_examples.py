"""Every command of examples/README.md runs as it is printed, and ends in an answer."""

from __future__ import annotations

import difflib
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


def test_the_page_of_own_methods_shows_the_study_of_the_script_as_it_is():
    page = (FOLDER.parent / "docs" / "own_methods.md").read_text(encoding="utf-8")
    study = (FOLDER / "own_script" / "parts.py").read_text(encoding="utf-8")
    assert f"```python\n{study}```" in page and len(study.splitlines()) <= 20


SLOW = "own_script"
"""Each of its trials is a process that imports torch, or trains on all digits."""

MOST_CHANGED = 10


def marked(command):
    return pytest.param(command, marks=(pytest.mark.slow, pytest.mark.sample) if SLOW in command else ())


def test_a_script_becomes_a_function_by_few_changed_lines():
    """A line that only moves to the right, into the function, is not changed; nor is an empty one."""
    texts = [(FOLDER / name / "train.py").read_text(encoding="utf-8") for name in (SLOW, "own_script_as_function")]
    script, function = ([line.strip() for line in text.splitlines() if line.strip()] for text in texts)
    changed = [line for line in difflib.ndiff(script, function) if line[0] in "+-"]
    assert 0 < len(changed) <= MOST_CHANGED, changed


@pytest.mark.parametrize("command", map(marked, COMMANDS))
def test_the_command_of_an_example_ends_in_an_answer(command, tmp_path):
    if "lightning" in command:
        pytest.importorskip("lightning")
    _, *words = shlex.split(command)
    words += ["--results", str(tmp_path), "--no-notebook"]
    places = [place for place in sys.path if not Path(place or ".").resolve().is_relative_to(FOLDER)]  # of other tests
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FOLDER.parent), *places])}
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
