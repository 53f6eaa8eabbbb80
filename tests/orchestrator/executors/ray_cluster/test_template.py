"""Workers as copies: what a copy is given, when Ray's own program runs instead, and that none outlives its purpose."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from orchestrator.executors.ray_cluster import template_process
from orchestrator.executors.ray_cluster.template_process import FIRST_JOB, TemplateProcess

pytestmark = pytest.mark.skipif(not template_process.is_possible(), reason="only Linux has descriptors of processes")

WORKER = """
import json, os, random, sys, time
print(json.dumps({
    "arguments": sys.argv, "folder": os.getcwd(), "mine": os.environ.get("MINE"), "hook": os.environ.get("HOOK_NAME"),
    "pid": os.getpid(), "parent": os.getppid(), "raylet": os.environ["RAY_RAYLET_PID"], "draw": random.random(),
    "descriptors": len(os.listdir("/proc/self/fd")),
}), flush=True)
print("complaint", file=sys.stderr, flush=True)
time.sleep(float(sys.argv[1]))
"""

PLAIN = "import json, sys; print(json.dumps({'plain': sys.argv[1:]}))"

WITHOUT_IMPORTS = template_process.PROGRAM.replace(
    "main(",
    "import numpy; from orchestrator.executors.ray_cluster import template; template._import = lambda: None; main(",
)
"""To import torch and Ray takes seconds, and has nothing to do with most of what is asked here."""


class Rig:
    """A template, and programs for Ray to run."""

    def __init__(self, folder):
        self.folder = folder
        self.process = TemplateProcess(folder / "template", dict(os.environ), sys.path)
        (folder / "worker.py").write_text(WORKER)
        (folder / "setup.py").write_text(PLAIN)
        self.starter = self.process.starter(str(folder / "setup.py"))
        self.raylet = subprocess.Popen(["sleep", "600"])

    @property
    def template(self):
        return psutil.Process(self.process.process.pid)

    def asked(self, *arguments, seconds=0.0, wait=True, **environment):
        """Start a worker as Ray does; return what it says of itself."""
        told = {
            **os.environ,
            "RAY_JOB_ID": FIRST_JOB,
            "RAY_RAYLET_PID": str(self.raylet.pid),
            **{name: value for name, value in environment.items() if value is not None},
        }
        options = arguments or ("--language=PYTHON", "--serialized-runtime-env-context={}")
        with open(self.folder / "out", "w+") as out, open(self.folder / "err", "w+") as err:
            command = [sys.executable, str(self.starter), str(self.folder / "worker.py"), str(seconds), *options]
            done = subprocess.run(command, env=told, cwd=self.folder, stdout=out, stderr=err, timeout=60, check=False)
            assert done.returncode == 0
            deadline = time.monotonic() + 60
            while wait and not (self.folder / "out").read_text().endswith("\n") and time.monotonic() < deadline:
                time.sleep(0.02)
            return json.loads((self.folder / "out").read_text())

    def close(self):
        self.process.close()
        self.raylet.kill()
        self.raylet.wait()


@pytest.fixture
def rig(tmp_path, monkeypatch):
    monkeypatch.setattr(template_process, "PROGRAM", WITHOUT_IMPORTS)
    made = Rig(tmp_path)
    yield made
    made.close()


def gone(pid, seconds=20.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_a_copy_has_the_streams_arguments_environment_and_folder_that_ray_gave(rig):
    said = rig.asked(MINE="yes")
    assert said["arguments"] == [str(rig.folder / "worker.py"), "0.0"]
    assert said["folder"] == str(rig.folder)
    assert said["mine"] == "yes"
    assert said["parent"] == rig.template.pid
    assert said["raylet"] == str(rig.template.pid)  # whose end ends it
    assert (rig.folder / "err").read_text() == "complaint\n"


def test_copies_do_not_draw_the_same_and_hold_nothing_of_each_other(rig):
    said = [rig.asked(seconds=60.0) for _ in range(3)]
    assert len({one["draw"] for one in said}) == 3
    assert len({one["pid"] for one in said}) == 3
    assert len({one["descriptors"] for one in said}) == 1


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (("--language=PYTHON", '--serialized-runtime-env-context={"env_vars": {"A": "b"}}'), {}),
        (("--language=JAVA", "--serialized-runtime-env-context={}"), {}),
        ((), {"RAY_JOB_ID": "02000000"}),
    ],
)
def test_what_a_copy_cannot_be_is_started_by_rays_own_program(rig, arguments, environment):
    said = rig.asked(*arguments, **environment)
    assert said["plain"][0] == str(rig.folder / "worker.py")
    assert "--serialized-runtime-env-context" in said["plain"][-1]


def test_without_a_template_workers_start_by_rays_own_program(rig):
    rig.process.close()
    assert "plain" in rig.asked()


def test_nonsense_at_the_socket_harms_nobody(rig):
    import socket

    for content in (b"", b"\n", b"[1, 2]\n", b"{}\n", b"\xff\xfe\n"):
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(str(rig.folder / "template/socket"))
            asking.sendall(content)
    assert rig.asked()["parent"] == rig.template.pid


@pytest.mark.parametrize("end", ["the driver closes", "the driver is gone", "it is killed", "its raylet is gone"])
def test_no_copy_outlives_what_it_is_for(rig, end):
    pids = [rig.asked(seconds=600.0)["pid"] for _ in range(2)]
    template = rig.template.pid
    if end == "the driver closes":
        rig.process.close()
    elif end == "the driver is gone":
        rig.process.process.stdin.close()
    elif end == "it is killed":
        os.kill(template, signal.SIGKILL)
    else:
        rig.raylet.kill()
    assert all(gone(pid) for pid in (*pids, template))


def test_a_copy_that_ends_is_no_zombie_and_can_be_told(rig):
    pid = rig.asked()["pid"]
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid)
    assert rig.asked()["parent"] == rig.template.pid


def test_ctrl_c_in_the_terminal_does_not_end_it(rig):
    os.kill(rig.template.pid, signal.SIGINT)
    assert rig.asked()["parent"] == rig.template.pid


def test_a_copy_has_what_every_worker_needs_and_what_was_expected(tmp_path):
    rig = Rig(tmp_path)
    try:
        (tmp_path / "worker.py").write_text(
            "import json, sys\n"
            "from orchestrator.executors.ray_tune import trainable\n"
            "loans = [loan.reference for loan in trainable._datasets]\n"
            "names = ('torch', 'ray', 'trainables.training.loop', 'trainables.methods.entropy', 'pandas', 'sklearn')\n"
            "print(json.dumps({'loaded': [name for name in names if name in sys.modules], 'loans': loans}))\n"
        )
        place = tmp_path / "data" / "0"
        rig.process.expect("entropy", ("digits", "whole", ()), place)
        rig.process.expect("nosuch", ("digits", "whole", ()), place)  # a worker that asks for it will say so
        said = rig.asked()
        assert {"torch", "ray", "trainables.training.loop", "trainables.methods.entropy"} <= set(said["loaded"])
        assert said["loans"] == ["digits"]
        assert {"inputs.npy", "labels.npy", "loan"} <= {path.name for path in Path(place).iterdir()}
        assert len(list(Path(f"/proc/{rig.template.pid}/task").iterdir())) <= 2  # Arrow's allocator has one of its own
    finally:
        rig.close()


def test_a_copy_runs_a_program_and_is_waited_for(rig, tmp_path):
    done, meanwhile = tmp_path / "done", []
    program = f"import sys, time\ntime.sleep(0.3)\nopen({str(done)!r}, 'w').write(sys.argv[1])"
    rig.process.run(program, "an argument", lambda: meanwhile.append(done.exists()))
    assert (done.read_text(), meanwhile) == ("an argument", [False])
    rig.process.run("raise ValueError('oh')", "", lambda: None)  # whoever needs what it makes will miss it
    assert rig.asked()["parent"] == rig.template.pid


def test_a_program_for_a_template_that_has_ended_is_not_waited_for(rig):
    rig.process.process.kill()
    rig.process.process.wait()
    rig.process.run("raise ValueError", "", lambda: None)


def test_a_template_that_ends_takes_its_copies_along_by_itself(rig):
    """Not only by the kernel, which is asked by a copy itself: one that has not come so far would stay."""
    pid = rig.asked(seconds=600.0)["pid"]
    kept = [os.readlink(f"/proc/{rig.template.pid}/fd/{name}") for name in os.listdir(f"/proc/{rig.template.pid}/fd")]
    assert kept.count("anon_inode:[pidfd]") == 2  # its raylet's, and the copy's
    rig.process.close()
    assert gone(pid)
