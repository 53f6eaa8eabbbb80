"""A command is trained like any method: epochs, failures with their kinds, limits, nothing left behind."""

from __future__ import annotations

import os
import time

import pytest
from own_trials import outcome_of, rows_of, said, spec_of

from orchestrator.knobs import Float, knob
from orchestrator.own import command
from orchestrator.own.declared import loading
from orchestrator.trial import FailureKind, Limits, TrialState

HEAD = "import json, os, sys, time\nseed, lr = int(sys.argv[2]), float(sys.argv[4])\n"

LR = {"lr": knob(0.5, Float(0, 1))}


@pytest.fixture
def script(tmp_path):
    """Return a function: text of a script -> the method that it is, of three epochs."""

    def make(text, **options):
        (tmp_path / "mine.py").write_text(HEAD + text)
        with loading(tmp_path / "study.py"):
            return command("python mine.py --seed {seed} --lr {lr}", knobs=LR, **{"n_epochs": 3, **options})

    return make


def test_each_epoch_has_a_row_and_the_last_has_what_was_said_last(script):
    text = "for e in range(3): print('hm'); print(json.dumps({'epoch': e, 'loss': lr * e}))\nprint('{\"acc\": 0.5}')\n"
    found = said(spec_of(script(text), lr=0.25))
    outcome = outcome_of(found)
    assert outcome.state is TrialState.COMPLETE
    assert rows_of(found, "loss") == {1: 0.0, 2: 0.25, 3: 0.5}
    assert dict(outcome.metrics) == {"loss": 0.5, "acc": 0.5}
    assert outcome.cost["peak_memory_bytes"] > 2**20


def test_a_seed_gives_the_same_again_and_another_seed_does_not(script):
    mine = script("import random\nprint(json.dumps({'loss': random.Random(seed).random()}))\n", n_epochs=1)
    values = [outcome_of(said(spec_of(mine, seed=seed))).metrics["loss"] for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]


def test_a_file_of_metrics_is_read_at_the_end(script, tmp_path):
    text = "json.dump([{'epoch': 1, 'loss': 2}, {'epoch': 3, 'loss': 1}], open('out.json', 'w'))\n"
    found = said(spec_of(script(text, metrics_file="out.json")))
    assert rows_of(found, "loss") == {1: 2.0, 3: 1.0}


def test_the_report_function_is_heard(script):
    text = "from orchestrator.report import report\nfor e in range(3): report(epoch=e, loss=e)\n"
    assert rows_of(said(spec_of(script(text))), "loss") == {1: 0.0, 2: 1.0, 3: 2.0}


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("raise ValueError('no such thing')", FailureKind.BUG, "ValueError: no such thing"),
        ("sys.exit(3)", FailureKind.BUG, "exit status 3"),
        ("print('RuntimeError: CUDA out of memory', file=sys.stderr); sys.exit(1)", FailureKind.OUT_OF_MEMORY, "CUDA"),
        ("os.kill(os.getpid(), 15)", FailureKind.INFRASTRUCTURE, "SIGTERM"),
        ("os.kill(os.getpid(), 11)", FailureKind.BUG, "SIGSEGV"),
        ("print(json.dumps({'epoch': 1, 'loss': float('nan')}))", FailureKind.DIVERGED, "loss"),
        ("print('nothing to say')", FailureKind.BUG, "it ended without a report"),
        ("print(json.dumps({'epoch': 9, 'loss': 1}))", FailureKind.DATA, "it reports of epoch 9"),
        ("print(json.dumps({'acc': 97.5}))", FailureKind.DATA, "acc = 97.5, which is a share"),
    ],
)
def test_a_failure_has_its_kind_and_what_it_said(script, text, kind, says):
    outcome = outcome_of(said(spec_of(script(text + "\n"))))
    assert (outcome.state, outcome.failure_kind) == (TrialState.FAILED, kind)
    assert says in outcome.error


def test_what_it_printed_is_kept_where_it_failed(script):
    found = said(spec_of(script("print('step one')\nsys.exit('broken')\n")))
    assert "step one" in found[-1].log and "broken" in found[-1].log


def test_a_limit_of_time_ends_it_with_all_that_it_started(script, tmp_path):
    text = "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\nopen('pid', 'w').write(str(child.pid))\n"
    outcome = outcome_of(said(spec_of(script(text + "time.sleep(600)\n")), limits=Limits(seconds=3.0)))
    assert outcome.failure_kind is FailureKind.TIME_LIMIT
    assert not _lives(int((tmp_path / "pid").read_text()))


def test_a_stopped_command_goes_on_from_its_own_checkpoint(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import json, sys, pathlib\nat = pathlib.Path(sys.argv[2], 'at')\n"
        "first = int(at.read_text()) if at.exists() else 0\n"
        "open('starts', 'a').write(f'{first} ')\n"
        "for e in range(first, 4):\n"
        "    print(json.dumps({'epoch': e, 'loss': e + .5}))\n    at.write_text(str(e + 1))\n"
        "    if first == 0 and e == 2: import time; time.sleep(600)\n"
    )
    with loading(tmp_path / "study.py"):
        mine = command("python mine.py {seed} {checkpoint}", knobs={}, n_epochs=4)
    folder = str(tmp_path / "checkpoints")
    halted = said(spec_of(mine), stopping=lambda: True, checkpoint_folder=folder, fence="1")
    assert not halted[-1].finished
    found = said(spec_of(mine), checkpoint_folder=folder, fence="2")
    assert rows_of(found, "loss") == {1: 0.5, 2: 1.5, 3: 2.5, 4: 3.5}
    first, second = map(int, (tmp_path / "starts").read_text().split())
    assert (first, second > 0) == (0, True)


def test_clusters_that_it_leaves_are_scored_and_it_sees_no_label(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import sys, os, numpy as np\nfound = np.load(sys.argv[2])\nassert set(found) == {'x', 'n_clusters'}\n"
        "assert int(found['n_clusters']) == int(sys.argv[4]) == 5\n"
        "labels = (found['x'].reshape(len(found['x']), -1)[:, 0] > 0).astype(int)\n"
        "np.save(os.path.join(sys.argv[3], 'assignments.npy'), labels)\n"
    )
    with loading(tmp_path / "study.py"):
        mine = command("python mine.py {seed} {data} {keep} {n_clusters}", knobs={})
    outcome = outcome_of(said(spec_of(mine, dataset="gaussians:subset=60,clusters=5")))
    assert outcome.state is TrialState.COMPLETE, outcome.error
    assert 0 < outcome.metrics["nmi"] < 1 and "neighbour_mi" in outcome.metrics


@pytest.mark.parametrize("left", ["b'x'", "np.save('a', np.array(['a'] * 60)) or open('a.npy', 'rb').read()"])
def test_a_file_of_assignments_that_are_no_numbers_is_named(tmp_path, left):
    (tmp_path / "mine.py").write_text(
        f"import sys, os, numpy as np\nopen(os.path.join(sys.argv[3], 'assignments.npy'), 'wb').write({left})\n"
    )
    with loading(tmp_path / "study.py"):
        mine = command("python mine.py {seed} {data} {keep}", knobs={})
    outcome = outcome_of(said(spec_of(mine, dataset="gaussians:subset=60")))
    assert outcome.failure_kind is FailureKind.DATA
    assert "its assignments.npy is no array of numbers" in outcome.error


def _lives(pid):
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        with open(f"/proc/{pid}/stat") as file:
            if file.read().rpartition(")")[2].split()[0] == "Z":
                return False
        time.sleep(0.05)
    return True
