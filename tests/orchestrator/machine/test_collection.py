"""How often Python looks for unused cycles: seldom in commands, as usual where something trains."""

import gc
import subprocess
import sys

import pytest

from orchestrator.executors.inline import InlineExecutor
from orchestrator.machine import collection


@pytest.fixture(autouse=True)
def put_back():
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_what_is_seldom_becomes_usual_again():
    collection.seldom()
    assert gc.get_threshold()[0] > 50 * collection.USUAL[0]
    collection.as_usual()
    assert gc.get_threshold() == collection.USUAL and gc.isenabled()


@pytest.mark.parametrize(("arguments", "same"), [(["--version"], True), (None, False)])
def test_a_command_looks_seldom_and_another_program_that_calls_one_as_before(arguments, same):
    program = (
        "import gc\nfrom orchestrator.cli import commands, main\nbefore = gc.get_threshold()\n"
        f"commands.main = lambda _: print(gc.get_threshold() == before)\nmain({arguments})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(same)


def test_whatever_trains_has_cycles_looked_for_as_usual(source_of, bundles):
    collection.seldom()
    InlineExecutor().run(source_of(bundles(1)))
    assert gc.get_threshold() == collection.USUAL
