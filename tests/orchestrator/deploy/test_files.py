"""The deployment files: well-formed, and every command in them exists with the options they use."""

import re
import subprocess
from pathlib import Path

import pytest

import orchestrator
from orchestrator.cli.commands import app

FOLDER = Path(orchestrator.__file__).parent / "deploy"
SCRIPT = FOLDER / "slurm.sh"


def run_with(python, folder, *arguments):
    """Run the Slurm script with a `python3` of these lines."""
    (folder / "python3").write_text(f"#!/bin/sh\n{python}\n")
    (folder / "python3").chmod(0o755)
    command = ["bash", str(SCRIPT), *arguments]
    environment = {"PATH": f"{folder}:/usr/bin:/bin"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)


def test_the_slurm_script_asks_for_what_a_run_needs_to_go_on():
    asked = re.findall(r"^#SBATCH (\S+)$", SCRIPT.read_text(), re.MULTILINE)
    assert {"--requeue", "--no-kill", "--open-mode=append", "--ntasks-per-node=1"} <= set(asked)
    assert any(re.fullmatch(r"--signal=B:TERM@\d+", option) for option in asked)


def test_the_slurm_script_becomes_the_run_with_all_that_it_was_given(tmp_path):
    done = run_with('echo "$@"', tmp_path, "quickstart", "/shared/results", "--tier", "paper")
    assert done.stdout.splitlines()[-1] == "-P -m orchestrator.deploy.slurm_job quickstart /shared/results --tier paper"


def test_the_slurm_script_says_when_its_python_has_not_got_the_project(tmp_path):
    done = run_with("exit 1", tmp_path, "quickstart", "/shared/results")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "does not have this project" in done.stderr


@pytest.mark.parametrize("name", ["README.md", "slurm.sh", "rayjob.yaml"])
def test_every_option_of_the_commands_in_the_files_exists(name):
    for line in re.findall(r"orchestrate (?:run|doctor) [^`\n]*", (FOLDER / name).read_text()):
        command = line.split()[1]
        known = app.help_of(command)
        for option in re.findall(r"(?<!\S)--[a-z-]+", line):
            assert option in known, (line, option)
