"""How a program ended says the kind of its failure."""

from __future__ import annotations

import pytest

from orchestrator.trial import FailureKind
from trainables.adapters.ended import failure_of, tail
from trainables.adapters.processes import End

BY_MEMORY = FailureKind.OUT_OF_MEMORY


@pytest.mark.parametrize(
    ("status", "signal", "said", "ran_out", "kind"),
    [
        (1, 0, "ValueError", False, FailureKind.BUG),
        (1, 0, "torch.OutOfMemoryError: CUDA out of memory.", False, BY_MEMORY),
        (-1, 9, "", True, BY_MEMORY),
        (-1, 9, "", False, FailureKind.INFRASTRUCTURE),
        (137, 0, "", True, BY_MEMORY),
        (-1, 15, "", False, FailureKind.INFRASTRUCTURE),
        (-1, 11, "", True, FailureKind.BUG),
    ],
)
def test_the_kind_follows_from_status_signal_words_and_the_kernels_count(status, signal, said, ran_out, kind):
    error = failure_of("x", End(status, signal, 0), "", said, memory_ran_out=ran_out)
    assert error.kind is kind and said in error.text


def test_of_a_progress_bar_the_last_state_is_kept(tmp_path):
    (tmp_path / "out").write_bytes(b"1 %\r2 %\r3 %\nend\n")
    assert tail(tmp_path / "out") == "3 %\nend\n"
    assert tail(tmp_path / "absent") == ""
