"""The check of a card, dry: on a CPU, where no package is but those that it says it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).with_name("check.py")
ABSENT = (
    "ray", "sklearn", "scipy", "pandas", "matplotlib", "mlxtend", "SALib", "jupytext", "nbclient", "jinja2",
    "torchvision", "cmaes", "ipykernel", "optuna",
)  # fmt: skip
BARE = f"""
import sys


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Absent())
"""


@pytest.mark.sample
@pytest.mark.slow
def test_the_dry_run_passes_on_a_bare_machine_and_says_that_it_says_nothing_of_a_card(tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "sitecustomize.py").write_text(BARE)
    command = [sys.executable, str(CHECK), "--dry", "--minutes", "8", "--out", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "bare"), "HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=570, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert found["dry"] and set(found["parts"]) == {"contracts", "speed", "residence", "memory", "studies"}
    held = {line["what"]: line["holds"] for part in found["parts"].values() for line in part["bounds"]}
    assert held["entropy: loss after two steps against alone"] is True
    assert held["a study inline: share of its trials that are complete, on cpu"] is True
    assert held["64 linear heads: share of an epoch in kernels"] is None
    assert found["parts"]["studies"]["ray_tune"] == {"skipped": "Ray is not installed here"}
    assert "A dry run on a CPU" in (tmp_path / "gpu.md").read_text()


def test_without_a_card_the_check_ends_in_one_line() -> None:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, str(CHECK)], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
