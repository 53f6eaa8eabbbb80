"""The same finite study on 1, 2 and 8 workers: rows equal bit for bit, costs aside."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.ledger import Ledger

DRIVER = Path(__file__).parent / "nodes" / "counts.py"
FREE = ("cost.", "started_at", "finished_at", "git_commit")


def rows_of(home, workers):
    """Run the study in a process of its own; return (trials, epochs, most bundles at a time)."""
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(DRIVER.parents[4])}
    folder = home / str(workers)
    command = [sys.executable, str(DRIVER), str(folder), str(workers)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=590, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    ledger = Ledger(folder)
    trials, epochs = ledger.trials(), ledger.epochs()
    trials = trials[[name for name in trials if not name.startswith(FREE)]].sort_values("trial_id")
    epochs = epochs.drop(columns="seconds").sort_values(["trial_id", "epoch"])
    return trials.reset_index(drop=True), epochs.reset_index(drop=True), int(done.stdout.split()[-1])


@pytest.mark.slow
def test_rows_do_not_depend_on_the_number_of_workers(tmp_path):
    alone, two, eight = (rows_of(tmp_path, workers) for workers in (1, 2, 8))
    assert (alone[2], two[2]) == (1, 2) and eight[2] > 2
    assert len(alone[0]) == 8 * (3 + 2 + 1)
    for trials, epochs, _ in (two, eight):
        assert trials.equals(alone[0])  # also the bundle of each trial
        assert epochs.equals(alone[1])
