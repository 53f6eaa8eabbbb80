"""A run in a Slurm job: one end however often it is asked for, the step ended with it, and what Slurm says of time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.deploy.slurm_job import END, Job, Nodes, Run, study_of, time_budget
from orchestrator.errors import OrchestratorError, RequestError

SRUN = """#!{python}
# A step of one node: says that Ray runs, then waits for its input to end. What it was told is left in a file.
import json, os, sys
print(json.dumps({messages}), flush=True)
with open({told!r}, "w") as told:
    told.write(" ".join(sys.argv[1:]) + "\\n" + sys.stdin.read())
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Slurm's commands, as far as a job sees them: each a script that a test writes."""

    def write(name, body):
        (tmp_path / name).write_text(body)
        (tmp_path / name).chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return SimpleNamespace(write=write, folder=tmp_path)


def step(slurm, **message):
    """Have srun start a step whose first node sends this."""
    text = SRUN.format(python=sys.executable, messages=repr({"node": "n1", **message}), told=str(slurm.folder / "told"))
    slurm.write("srun", text)


def nodes(signalled=lambda name: None):
    return Nodes(["ray_node"], os.environ, signalled)


# -- which study ---------------------------------------------------------------------------------------------------


def test_a_job_runs_the_study_that_it_was_given():
    assert study_of("quickstart", {}) == "quickstart"


@pytest.mark.parametrize(("task", "name"), [("0", "one"), ("1", "my/two.py"), ("2", "three")])
def test_a_task_of_a_job_array_runs_the_study_of_its_number(task, name):
    assert study_of("one,my/two.py,three", {"SLURM_ARRAY_TASK_ID": task}) == name


def test_a_task_without_a_study_says_which_tasks_are_allowed():
    with pytest.raises(RequestError, match=r"task 2 has no study.*--array=0-1%1"):
        study_of("one,two", {"SLURM_ARRAY_TASK_ID": "2"})


def test_several_studies_want_a_job_array():
    with pytest.raises(RequestError, match=r"--array=0-1%1"):
        study_of("one,two", {})


# -- time ----------------------------------------------------------------------------------------------------------


@given(st.floats(1.0, 1e7))
def test_a_run_stops_before_the_jobs_end_and_uses_most_of_its_time(left):
    budget = time_budget(left)
    assert 0.6 * left < budget < left
    assert left - budget <= 180.0 + 1e-6


def test_the_end_is_what_slurm_puts_into_the_environment():
    job = Job({"SLURM_JOB_END_TIME": str(int(time.time()) + 1000)}, ask=lambda *command: "")
    assert 990 < job.seconds_left() <= 1000


def test_the_end_is_asked_for_where_slurm_does_not_say_it():
    asked = []

    def ask(*command):
        asked.append(command)
        return datetime.fromtimestamp(int(time.time()) + 600).isoformat()

    assert 590 < Job({"SLURM_JOB_ID": "7"}, ask=ask).seconds_left() <= 600
    assert asked == [("squeue", "-h", "-j", "7", "-o", "%e")]


@pytest.mark.parametrize("said", ["N/A", "NONE", ""])
def test_a_job_without_a_limit_has_no_end(said):
    assert Job({"SLURM_JOB_ID": "7"}, ask=lambda *command: said).seconds_left() is None


# -- preemption ----------------------------------------------------------------------------------------------------


def shown(**changes):
    known = {"JobId": "7", "JobState": "RUNNING", "Requeue": "1", "PreemptTime": "2026-01-02T03:04:05"} | changes
    return " ".join(f"{name}={value}" for name, value in known.items())


@pytest.mark.parametrize(
    ("changes", "again"),
    [
        ({}, True),
        ({"PreemptTime": "None"}, False),
        ({"Requeue": "0"}, False),
        ({"JobState": "COMPLETING"}, False),  # somebody has cancelled it meanwhile
    ],
)
def test_a_preempted_job_is_queued_again_if_it_may_be(changes, again):
    asked = []

    def ask(*command):
        asked.append(command)
        return shown(**changes) if command[1] == "show" else ""

    assert Job({"SLURM_JOB_ID": "7"}, ask=ask).queue_again() is again
    assert (("scontrol", "requeue", "7") in asked) is again


def test_a_slurm_that_does_not_answer_queues_nothing_again():
    assert Job({"SLURM_JOB_ID": "7"}, ask=lambda *command: "").queue_again() is False


# -- the step ------------------------------------------------------------------------------------------------------


def test_the_nodes_are_told_the_address_and_that_their_end_is_meant(slurm):
    step(slurm, address="10.0.0.1:4321")
    opened = nodes()
    assert opened.address(lambda: False) == "10.0.0.1:4321"
    opened.close()
    options, *lines = (slurm.folder / "told").read_text().splitlines()
    assert options.endswith("--export=ALL ray_node")
    assert lines == ["10.0.0.1:4321", END]


def test_a_first_node_without_ray_is_an_error_that_says_why(slurm):
    step(slurm, failed="Ray did not start: no space left")
    opened = nodes()
    with pytest.raises(OrchestratorError, match="node n1: Ray did not start: no space left"):
        opened.address(lambda: False)
    opened.close()


def test_a_step_that_slurm_refuses_is_an_error(slurm):
    slurm.write("srun", "#!/bin/sh\nexit 1\n")
    opened = nodes()
    with pytest.raises(OrchestratorError, match="its step ended"):
        opened.address(lambda: False)
    opened.close()


def test_a_signal_to_the_step_is_passed_on(slurm):
    step(slurm, signal="SIGTERM")
    heard = threading.Event()
    opened = nodes(lambda name: heard.set() if name == "SIGTERM" else None)
    assert heard.wait(20)
    assert opened.address(lambda: True) == "", "and nobody waits for Ray any more"
    opened.close()


# -- the run -------------------------------------------------------------------------------------------------------

CHILD = """
import signal, sys, time
signals = []
signal.signal(signal.SIGTERM, lambda *_: signals.append(1))
print("ready", flush=True)
while not signals:
    time.sleep(0.01)
time.sleep(0.5)
sys.exit(129 + len(signals))
"""


def test_a_run_is_told_to_end_once_however_often_that_is_asked_for(slurm):
    step(slurm, address="10.0.0.1:4321")
    opened, run = nodes(), Run()
    for seconds in (0.8, 0.9, 1.0, 1.1):
        threading.Timer(seconds, run.stop).start()
    assert run.status([sys.executable, "-c", CHILD], os.environ, opened) == 130
    opened.close()


def test_a_run_that_is_to_end_before_it_began_does_not_begin(slurm):
    step(slurm, address="10.0.0.1:4321")
    opened, run = nodes(), Run()
    run.stop()
    assert run.status(["/does/not/exist"], os.environ, opened) == 130
    opened.close()


def test_a_run_that_was_killed_has_the_status_of_a_shell(slurm):
    step(slurm, address="10.0.0.1:4321")
    opened = nodes()
    assert Run().status([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], os.environ, opened) == 137
    opened.close()


def test_a_run_whose_step_ends_is_told_to_end(slurm, capsys):
    slurm.write("srun", f"#!/bin/sh\necho '{json.dumps({'node': 'n1', 'address': 'a:1'})}'\nsleep 1\n")
    opened = nodes()
    assert Run().status([sys.executable, "-c", CHILD], os.environ, opened) == 130
    assert "Ray has ended on all nodes; nothing is lost" in capsys.readouterr().err
    opened.close()


# -- the whole -----------------------------------------------------------------------------------------------------


def submit(slurm, *arguments, **environment):
    command = [sys.executable, "-m", "orchestrator.deploy.slurm_job", *arguments]
    known = {**os.environ, "SLURM_JOB_ID": "7", **environment}
    return subprocess.Popen(command, env=known, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_what_the_run_says_and_its_status_are_the_jobs(slurm, tmp_path):
    step(slurm, address="10.0.0.1:4321")
    slurm.write("squeue", "#!/bin/sh\necho N/A\n")
    job = submit(slurm, "no_such_study", str(tmp_path / "results"))
    _, said = job.communicate(timeout=120)
    assert job.returncode == 2
    assert "no_such_study" in said
    assert (slurm.folder / "told").read_text().endswith(f"{END}\n")


def test_a_job_without_a_results_folder_says_what_is_missing(slurm):
    job = submit(slurm, "quickstart")
    _, said = job.communicate(timeout=120)
    assert job.returncode == 2
    assert said.count("\n") == 1
    assert "STUDY RESULTS" in said


def test_a_signal_while_ray_starts_ends_the_job_with_the_sentence(slurm, tmp_path):
    slurm.write("srun", "#!/bin/sh\ntouch $0.started\nread line\n")
    job = submit(slurm, "quickstart", str(tmp_path / "results"))
    while not (slurm.folder / "srun.started").exists():
        time.sleep(0.05)
    job.send_signal(signal.SIGTERM)
    _, said = job.communicate(timeout=60)
    assert job.returncode == 130
    assert "nothing is lost: submit the same job again to go on" in said
