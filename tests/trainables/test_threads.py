from __future__ import annotations

import pytest
import torch

from trainables.threads import one_thread


def test_threads_come_back_whatever_happens() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(ValueError, match="x"), one_thread():
            assert torch.get_num_threads() == 1
            raise ValueError("x")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
