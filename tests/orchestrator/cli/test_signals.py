"""How the command ends: with what it printed, its status, and nothing left to wait for; also when it is interrupted."""

import json
import os
import signal
import subprocess
import sys

import pytest

from orchestrator.cli import signals

CODE = """
import atexit, sys
from orchestrator.cli import signals
{install}
atexit.register(lambda: print("taken apart"))
print("said", end="")
print("warned", file=sys.stderr, end="")
signals.exit_with(3)
"""


@pytest.mark.parametrize(("install", "said"), [("signals.install()", "said"), ("", "saidtaken apart\n")])
def test_the_command_ends_at_once_and_a_program_that_calls_it_in_its_own_way(install, said):
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(install=install)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, said, "warned")


def test_inside_another_program_it_is_an_exception():
    with pytest.raises(SystemExit) as ended:
        signals.exit_with(2)
    assert ended.value.code == 2


WAITING = """
import subprocess, sys, time
from orchestrator.cli import signals
signals.install()
import psutil
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", signals.SIGNALS)
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_an_interrupted_command_says_that_nothing_is_lost_and_leaves_no_process_behind(number, options):
    command = subprocess.Popen(
        [sys.executable, "-c", WAITING, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    child = int(command.stdout.readline())
    command.send_signal(number)
    out, err = command.communicate(timeout=60)
    assert command.returncode == signals.INTERRUPTED
    assert err == "orchestrate: interrupted; nothing is lost: run the same command again to go on\n"
    said = json.loads(out) if options else {"exit_status": signals.INTERRUPTED}
    assert said["exit_status"] == signals.INTERRUPTED
    with pytest.raises(ProcessLookupError):
        for _ in range(600):  # whoever adopted it has to read its end
            os.kill(child, 0)
            signal.sigtimedwait([], 0.1)
