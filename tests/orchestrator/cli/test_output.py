"""Standard output is the command's alone: a plugin that prints, in Python or below it, does not spoil `--json`."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli import main, output

TALKING = """
import os
print("python says hello")
os.write(1, b"C says hello\\n")
os.system("echo a shell says hello")
from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study
STUDY = Study(question="[/does it] [bold]talk?", datasets=("gaussians",), n_epochs=2, seeds=6, margin=0.02,
              exploratory=True, design=one_factor("kmeans", {"n_init": [1]}))
"""


@pytest.fixture
def talking(tmp_path):
    """A study file that prints on every way to standard output when it is imported."""
    path = tmp_path / "talking.py"
    path.write_text(TALKING)
    return str(path)


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "orchestrator", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_what_a_study_prints_goes_to_standard_error(talking, tmp_path):
    done = command("plan", talking, "--json", "--results", tmp_path / "none")
    assert json.loads(done.stdout)["trials"] == 12
    for who in ("python", "C", "a shell"):
        assert f"{who} says hello" in done.stderr


def test_an_error_is_json_too(talking):
    done = command("plan", talking, "--json", "--set", "alpha=3")
    assert json.loads(done.stdout) == {"error": done.stderr.split("orchestrate: ")[1].strip(), "exit_status": 2}


def test_inside_another_program_its_stream_is_written_to_and_given_back(talking, tmp_path, capsys):
    before = sys.stdout
    with pytest.raises(SystemExit):
        main(["plan", talking, "--json", "--results", str(tmp_path / "none")])
    assert sys.stdout is before
    assert json.loads(capsys.readouterr().out)["trials"] == 12


def test_words_of_a_study_are_printed_as_they_are(talking, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["plan", talking, "--results", str(tmp_path / "none")])
    assert ended.value.code == 0
    assert "[/does it] [bold]talk?" in capsys.readouterr().out


def test_json_has_no_nan(capsys):
    output.say_json({"a": math.nan, "b": [1.0, math.inf], "c": Path("x"), "d": (2,)})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [1.0, None], "c": "x", "d": [2]}
