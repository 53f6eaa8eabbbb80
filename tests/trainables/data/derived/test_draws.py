"""Options of a dataset draw from streams that are the same wherever and whenever they are asked for."""

import torch

from trainables.data.derived.draws import generator_of


def test_a_purpose_has_the_same_draws_every_time_and_no_other_purpose_has_them() -> None:
    first = torch.rand(50, generator=generator_of("subset.train"))
    assert torch.equal(first, torch.rand(50, generator=generator_of("subset.train")))
    assert not torch.equal(first, torch.rand(50, generator=generator_of("subset.test")))


def test_no_global_stream_is_touched() -> None:
    torch.manual_seed(3)
    expected = torch.rand(5)
    torch.manual_seed(3)
    torch.rand(50, generator=generator_of("labelled"))
    assert torch.equal(torch.rand(5), expected)
