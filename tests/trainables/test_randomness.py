"""Streams: a member's numbers come from its seed and the purpose alone, also after a drop and from a saved state."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from trainables.randomness import Streams, stream_seed

seeds = st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=5)


@given(seeds, st.sampled_from(["normal", "uniform"]), st.integers(1, 40))
def test_a_member_draws_the_same_alone_and_in_any_bundle(roots, kind, n):
    together = getattr(Streams(roots, "order"), kind)(n)
    for member, root in enumerate(roots):
        assert torch.equal(getattr(Streams([root], "order"), kind)(n)[0], together[member])


def test_purposes_and_seeds_give_other_streams():
    assert len({stream_seed(root, purpose) for root in range(50) for purpose in ("order", "init", "view")}) == 150


def test_kept_members_go_on_where_they_were():
    streams, twin = Streams([1, 2, 3], "x"), Streams([1, 2, 3], "x")
    assert torch.equal(streams.normal(7), twin.normal(7))
    streams.keep([0, 2])
    assert torch.equal(streams.normal(7), twin.normal(7)[[0, 2]])


def test_a_saved_state_goes_on_to_the_same_numbers_for_every_member():
    streams = Streams([1, 2, 3], "x")
    streams.normal(5)
    state = streams.state_dict()
    other = Streams([7, 8, 9], "x")
    other.load_state_dict(state)
    assert torch.equal(streams.permutation(20), other.permutation(20))
    assert torch.equal(streams.uniform(3, 2), other.uniform(3, 2))


def test_the_global_generator_is_not_touched():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    Streams([1], "x").normal(3)
    assert torch.equal(before, torch.get_rng_state())


def test_streams_of_some_members_are_their_own_streams_and_move_on_with_them():
    streams, twin = Streams([1, 2, 3], "x"), Streams([1, 2, 3], "x")
    some = streams.of([2, 0]).uniform(4)
    assert torch.equal(some, twin.uniform(4)[[2, 0]])
    assert len(streams) == 3
    after, fresh = streams.uniform(4), Streams([1, 2, 3], "x")
    assert torch.equal(after[1], fresh.uniform(4)[1])  # who was not asked has not drawn
    assert torch.equal(after[[0, 2]], twin.uniform(4)[[0, 2]])
