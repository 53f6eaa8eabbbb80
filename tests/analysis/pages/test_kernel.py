"""The kernel that waits for a notebook: it ends with whoever started it, and leaves nothing."""

import pytest

from analysis.pages import kernel as module
from analysis.pages.kernel import WaitingKernel


@pytest.fixture
def quick(monkeypatch):
    """A process that waits without importing anything first."""
    monkeypatch.setattr(module, "WAITING", "import sys; sys.exit(7 if sys.stdin.readline() else 0)")


def test_a_kernel_that_nobody_wanted_ends_and_its_folder_goes(quick):
    with WaitingKernel() as kernel:
        assert kernel.process.poll() is None and kernel.private.is_dir()
    assert kernel.process.poll() is not None and not kernel.private.exists()
    kernel.close()


def test_it_ends_by_itself_when_its_starter_does(quick):
    with WaitingKernel() as kernel:
        kernel.process.stdin.close()  # what the end of this process would do
        assert kernel.process.wait(timeout=30) == 0


def test_it_becomes_a_kernel_when_it_is_told_where_its_sockets_are(quick):
    with WaitingKernel() as kernel:
        kernel.begin("sockets.json")
        assert kernel.process.wait(timeout=30) == 7
        kernel.begin("sockets.json")  # one that has died is noticed by whoever waits for its answer
