"""Limits of time and memory: they strike in the middle of an epoch, and are gone afterwards."""

import resource
import signal
import threading
import time

import pytest
import torch

from trainables.training.limits import TimeLimitError, held_bytes, within_memory, within_seconds

CPU = torch.device("cpu")


def test_python_is_interrupted_when_the_time_is_over():
    began = time.monotonic()
    with pytest.raises(TimeLimitError, match=r"longer than the 0\.05 s"), within_seconds(0.05):
        while time.monotonic() - began < 20:
            pass
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0.0
    with within_seconds(60.0):
        pass
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0.0


def test_without_a_limit_and_in_another_thread_nothing_is_interrupted():
    found = []

    def other():
        with within_seconds(0.01):
            time.sleep(0.05)
            found.append("done")

    with within_seconds(None):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert found == ["done"]


def test_an_allocation_over_the_limit_fails_and_the_next_block_is_free():
    before, held = resource.getrlimit(resource.RLIMIT_DATA), held_bytes()
    if held is None:
        pytest.skip("the system does not tell what a process holds")
    with within_memory(2**27, held, CPU):
        torch.zeros(2**20)
        with pytest.raises(RuntimeError, match="memory"):
            torch.zeros(2**28)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert torch.zeros(2**26).numel() == 2**26
