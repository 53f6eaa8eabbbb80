"""How the command ends: with what it printed, its status, and nothing left to wait for."""

import os
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
