"""A script, what it imports and what it reads travel to a worker that sees none of it."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from own_trials import outcome_of, said, spec_of

from orchestrator.executors import declared_files
from orchestrator.executors.declared_files import are_here, moved, of_task, shipped, unpacked, with_declared
from orchestrator.knobs import Float
from orchestrator.own.command import command
from orchestrator.own.declared import loading
from orchestrator.trial import Bundle, BundleTask

SCRIPT = """
import argparse, json, sys
import numpy as np
from beside import SCALE
sys.path.insert(0, "../lib")
from far import SHIFT
parser = argparse.ArgumentParser()
parser.add_argument("points"), parser.add_argument("--more"), parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--seed", type=int)
asked = parser.parse_args()
loss = SCALE * np.load(asked.points).sum() + SHIFT + np.load(asked.more).sum()
print(json.dumps({"epoch": 1, "loss": float(loss)}))
"""


@pytest.fixture
def home(tmp_path):
    """A folder with a script that needs files in three places."""
    for name, text in {
        "mine/train.py": SCRIPT,
        "mine/beside.py": "SCALE = 10\n",
        "lib/far.py": "SHIFT = 0.5\n",
    }.items():
        path = tmp_path / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    np.save(tmp_path / "home/mine/points.npy", np.ones(3))
    np.save(tmp_path / "home/elsewhere.npy", np.full(2, 100.0))
    return tmp_path / "home"


def declared(home, name="mine"):
    with loading(home / "mine" / "study.py"):
        made = command(
            "python train.py points.npy --more {more}",
            knobs={"lr": Float(0.01, 1.0)},
            name=name,
            files={"more": "../elsewhere.npy"},
            code=("../lib/*.py",),
        )
    return made.declared


def test_a_method_trains_where_none_of_its_files_is(home, tmp_path):
    own = declared(home)
    before = outcome_of(said(spec_of(own.named)))
    shipment, spec = shipped(own), spec_of(own.named)
    assert are_here(own, shipment.digest)
    shutil.move(home, tmp_path / "gone")
    assert not are_here(own, shipment.digest)
    task = BundleTask(bundle=Bundle((spec,)))
    there = with_declared(task, moved(of_task(task), unpacked(shipment, tmp_path / "private")))
    found = outcome_of(said(there.bundle.specs[0]))
    assert found.error == before.error == ""
    assert found.metrics["loss"] == before.metrics["loss"] == 230.5
    assert found.spec.trial_id == spec.trial_id
    assert str(home) not in repr(there)


def test_what_was_changed_since_is_not_what_is_here(home):
    own = declared(home)
    shipment = shipped(own)
    (home / "mine" / "beside.py").write_text("SCALE = 11\n")
    assert not are_here(own, shipment.digest)


def test_methods_of_the_same_files_keep_their_names_and_knobs(home, tmp_path):
    one, other = declared(home), declared(home, "other")
    root = unpacked(shipped(one), tmp_path / "private")
    assert moved(other, root).name == "other" and moved(one, root).folder == moved(other, root).folder


def test_large_data_stay_where_they_are(home, tmp_path, monkeypatch):
    own = declared(home)
    whole = len(shipped(own).content)
    monkeypatch.setattr(declared_files, "LARGEST", 140)  # bytes: the two arrays are larger
    (home / "mine" / "train.py").write_text("print(1)")
    small = shipped(own)
    assert len(small.content) < whole
    there = moved(own, unpacked(small, tmp_path / "private"))
    assert there.data["more"] == str(home / "mine" / ".." / "elsewhere.npy")
    assert Path(there.code["beside.py"]).parent == Path(there.folder)


def test_a_program_can_still_be_executed(tmp_path):
    (tmp_path / "mine").mkdir()
    script = tmp_path / "mine" / "run.sh"
    script.write_text(f'#!/bin/sh\n{sys.executable} -c \'print("{{\\"loss\\": 1}}")\'\n')
    script.chmod(0o755)
    with loading(tmp_path / "mine" / "study.py"):
        own = command("./run.sh", knobs={}, seed="").declared
    there = moved(own, unpacked(shipped(own), tmp_path / "private"))
    assert os.access(Path(there.folder) / "run.sh", os.X_OK)
    script.unlink()
    assert outcome_of(said(spec_of(there.named))).metrics["loss"] == 1.0
