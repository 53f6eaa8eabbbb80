"""Random problems of hard labels, and their sizes for property tests."""

import torch
from hypothesis import strategies as st

shapes = st.tuples(st.integers(0, 10_000), st.integers(1, 24), st.integers(1, 7), st.floats(0.01, 30.0))


def problem(seed, points, classes, scale):
    """Cost, start counts, penalty and prior of two members."""
    generator = torch.Generator().manual_seed(seed)
    cost = scale * torch.randn(2, points, classes, generator=generator, dtype=torch.float64)
    start = torch.randint(0, 5, (2, classes), generator=generator)
    penalty = 3 * torch.rand(2, generator=generator, dtype=torch.float64)
    prior = torch.rand(2, classes, generator=generator, dtype=torch.float64) + 0.1
    return cost, start, penalty, prior
