"""The facts of a device: what is decided before training and told in every row."""

import pytest
import torch

from orchestrator.errors import RequestError
from trainables.training.numerics import configure_numerics, device_of


def test_a_cpu_at_one_thread_is_deterministic_and_says_what_it_is():
    facts = configure_numerics(torch.device("cpu"), "float32", 1)
    assert (facts["tf32"], facts["deterministic"]) == (False, True)
    assert facts["device_name"]
    assert facts["device_memory_bytes"] > 2**27
    assert torch.get_num_threads() == 1


def test_a_precision_that_nobody_has_written_is_refused():
    with pytest.raises(RequestError, match="precision 'float16' is not supported; allowed: float32, tf32, bfloat16"):
        configure_numerics(torch.device("cpu"), "float16", 1)


def test_tf32_is_refused_where_no_gpu_would_round_to_it():
    with pytest.raises(RequestError, match="precision 'tf32' is one of GPUs; cpu has float32 and bfloat16"):
        configure_numerics(torch.device("cpu"), "tf32", 1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_replaced_by_the_cpu_aloud(caplog):
    assert device_of("cuda") == torch.device("cpu")
    assert "torch sees no GPU" in caplog.text
