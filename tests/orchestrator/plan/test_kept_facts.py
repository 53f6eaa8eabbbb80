"""Facts outlive a command as long as nothing changes that they follow from; each look is by a process of its own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

METHOD = """
from dataclasses import dataclass
from orchestrator.knobs import Float, knob
from trainables.method import InTurn, MethodConfig

@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    rate: float = knob({default}, Float(0.0, 9.0))

class METHOD(InTurn):
    Config = Config
    version = 3
"""

DATASET = """
from pathlib import Path
import numpy as np, torch
from trainables.data.dataset import Dataset

def load():
    points = torch.from_numpy(np.load(Path(__file__).with_name("points.npy")))
    return Dataset("mine", points, torch.arange(len(points)) % 2, 2)
"""

LOOK = """
import json, sys
from orchestrator.plan.catalogue import Catalogue
found = Catalogue(sys.argv[1:], without_data=True)
method, data = found.method("mine"), found.dataset("mine", "whole")
chance = found.chance("mine", "whole")
print(json.dumps([method.knobs["rate"].default, method.version, method.code_digest, data.digest, data.n_points,
                  "torch" in sys.modules, sorted(chance)]))
"""


class Mine:
    """A plugin folder, and a look at it by a new process."""

    def __init__(self, folder):
        self.folder, self.home, self.changed = folder / "mine", folder / "home", True
        for name in ("methods", "datasets"):
            (self.folder / name).mkdir(parents=True)
        self.write(default=1.0)
        self.fill(6)
        (self.folder / "datasets/mine.py").write_text(DATASET)

    def write(self, default):
        (self.folder / "methods/mine.py").write_text(METHOD.format(default=default))
        self.changed = True

    def fill(self, n):
        import numpy as np

        np.save(self.folder / "datasets/points.npy", np.eye(n, dtype=np.float32))

    def files(self):
        return sorted((self.home / "orchestrate/catalogue").iterdir())

    def look(self):
        if self.changed:
            time.sleep(1.1)  # what is as young as a process is not kept by it
            self.changed = False
        done = subprocess.run(
            [sys.executable, "-c", LOOK, str(self.folder)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "XDG_CACHE_HOME": str(self.home)},
        )
        names = ("default", "version", "code", "digest", "points", "torch", "chance")
        return dict(zip(names, json.loads(done.stdout), strict=True))


@pytest.fixture
def mine(tmp_path):
    return Mine(tmp_path)


def test_a_second_command_knows_the_same_without_importing_anything(mine):
    first, second = mine.look(), mine.look()
    assert first["torch"]
    assert not second["torch"]
    assert {**first, "torch": False} == second


def test_an_edited_method_and_other_data_are_other_facts(mine):
    before = mine.look()
    mine.write(default=2.0)
    mine.fill(8)
    after = mine.look()
    assert (before["default"], after["default"]) == (1.0, 2.0)
    assert (before["points"], after["points"]) == (6, 8)
    assert after["torch"]
    assert after["code"] != before["code"]
    assert after["digest"] != before["digest"]


def test_damaged_files_are_made_again(mine):
    before = mine.look()
    for path in mine.files():
        path.write_text(path.read_text()[:-7])
    assert mine.look() == before
    assert not mine.look()["torch"]


def test_a_method_that_is_edited_under_a_process_is_not_taken_for_what_the_process_runs(mine):
    code = """
import sys
from pathlib import Path
from orchestrator import discovery
folder = sys.argv[1]
discovery.method("mine", (folder,))
path = Path(folder, "methods/mine.py")
path.write_text(path.read_text().replace("knob(1.0", "knob(5.0"))
from orchestrator.plan.catalogue import Catalogue
print(Catalogue((folder,)).method("mine").knobs["rate"].default)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "XDG_CACHE_HOME": str(mine.home)}
    command = [sys.executable, "-c", code, str(mine.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "1.0"  # what it imported
    assert mine.look()["default"] == 5.0  # what is there now


@pytest.mark.parametrize("command", [["studies"], ["plan", "quickstart"], ["status"]])
def test_lists_plans_and_looks_import_no_torch_the_second_time(command, tmp_path):
    code = (
        "import sys; from orchestrator.cli import commands; commands.app.run(sys.argv[1:]); "
        "print({'torch', 'ray', 'pandas', 'scipy', 'sklearn', 'optuna'} & set(sys.modules), file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "XDG_CACHE_HOME": str(tmp_path)}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code, *command],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
            cwd=Path(__file__).parents[3] if command == ["plan"] else tmp_path,
        )
    assert done.stderr.strip() == "set()"
