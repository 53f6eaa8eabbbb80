"""A study of a script, killed: what is complete stays, no script outlives who started it, the same command goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from orchestrator.ledger import Ledger

pytestmark = pytest.mark.slow  # real commands, killed and started again

STUDY = '''"""Does a script bear that everything around it is killed?"""
from orchestrator.designs.one_factor import one_factor
from orchestrator.knobs import Int, knob
from orchestrator.own import command
from orchestrator.study import Study

MINE = command("python -S train.py", knobs={"size": knob(1, Int(1, 9))}, metrics={"score": {}}, n_epochs=3)
STUDY = Study(question="?", design=one_factor(MINE, {"size": [2]}), seeds=5, exploratory=True, metric="score", margin=1)
'''

SCRIPT = """import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=1)
parser.add_argument("--seed", type=int)
asked = parser.parse_args()
for epoch in range(3):
    time.sleep(0.15)
    print('{"epoch": %d, "score": %d}' % (epoch, asked.size * 100 + asked.seed % 50 + epoch), flush=True)
"""

PATIENCE_SECONDS = 300.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(STUDY)
    (tmp_path / "train.py").write_text(SCRIPT)
    return tmp_path


def started(home: Path, results: str, address: str) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", "orchestrator", "run", "mine.py"]
    options = ["--results", results, "--address", address, "--no-report"]
    path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.Popen(
        [*line, *options], cwd=home, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )


def ended_well(home: Path, results: str, address: str = "inline") -> dict[str, float]:
    """Run to the end; return the score of every trial, of which there is one row."""
    assert started(home, results, address).wait(PATIENCE_SECONDS) == 0
    return scores(home / results)


def scores(results: Path) -> dict[str, float]:
    if not list(results.glob("trials/*.parquet")):
        return {}
    rows = Ledger(results).trials(view=False)
    complete = rows[rows["state"] == "complete"]
    assert complete["trial_id"].is_unique
    return dict(zip(complete["trial_id"], complete["metric.score"], strict=True))


def scripts(home: Path) -> list[psutil.Process]:
    """Return the processes that run the script of this folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        if "train.py" in words and process.info["cwd"] == str(home):
            found.append(process)
    return found


def wait_until(holds) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.sample
def test_a_driver_that_is_killed_again_and_again_loses_nothing_and_leaves_no_script(home: Path) -> None:
    quiet = ended_well(home, "quiet")
    assert len(quiet) == 10
    for wanted in (1, 4, 7):
        driver = started(home, "killed", "inline")
        wait_until(lambda wanted=wanted: len(scores(home / "killed")) >= wanted and scripts(home))
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
        before = scores(home / "killed")
        assert before.items() <= quiet.items()
        wait_until(lambda: not scripts(home))
        assert scores(home / "killed") == before
    assert ended_well(home, "killed") == quiet


def test_a_worker_that_is_killed_takes_its_script_along_and_its_trial_is_trained_again(home: Path) -> None:
    quiet = ended_well(home, "quiet")
    driver = started(home, "killed", "local")
    wait_until(lambda: scores(home / "killed") and scripts(home))
    workers = [
        child for child in psutil.Process(driver.pid).children(recursive=True) if "ray::" in " ".join(child.cmdline())
    ]
    assert workers
    for worker in workers:
        worker.kill()
    assert driver.wait(PATIENCE_SECONDS) == 0
    assert scores(home / "killed") == quiet
    wait_until(lambda: not scripts(home))
