"""The tutorial's commands, run one after another as they stand, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = [
    line
    for block in re.findall(r"```bash\n(.*?)```", (ROOT / "docs" / "tutorial.md").read_text(), re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.slow
@pytest.mark.sample
def test_every_command_of_the_tutorial_runs_and_ends_in_a_verdict(tmp_path):
    assert len(COMMANDS) >= 8
    own = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    }
    said = {}
    for command in COMMANDS:
        ended = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=own, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
        said[command] = ended.stdout
    assert (tmp_path / "results" / "studies" / "restarts" / "report.html").is_file()
    assert "neighbour MI" in said[COMMANDS[-1]] and "where both work" in said[COMMANDS[-1]]
