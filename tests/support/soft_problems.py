"""Random problems of soft labels, their sizes for property tests, and an independent solver."""

import numpy as np
import torch
from hypothesis import strategies as st
from scipy.optimize import minimize

problems = st.tuples(
    st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 30), st.integers(1, 8), st.floats(0.0, 8.0)
)


def problem(seed, members, points, classes, scale, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(members, points, classes, generator=generator)
    logits += torch.randn(members, 1, classes, generator=generator)
    weight = 10 ** (4 * torch.rand(members, generator=generator) - 1)
    prior = torch.randn(members, classes, generator=generator).to(dtype).softmax(1)
    return logits.to(dtype).softmax(2), weight.to(dtype), prior


def generic_optimum(sigma, weight, prior, fairness):
    """BFGS over free logits of y, with its own formulas for objective and gradient."""
    sigma, prior, points = sigma.numpy(), prior.numpy(), len(sigma)

    def value_and_slope(flat):
        logits = flat.reshape(sigma.shape)
        y = np.exp(logits - logits.max(1, keepdims=True))
        y /= y.sum(1, keepdims=True)
        mean = y.mean(0)
        value = -(sigma * np.log(y)).sum() / points
        if fairness == "forward":
            value += weight * (prior * np.log(prior / mean)).sum()
            slope = -(sigma / y + weight * prior / mean) / points
        else:
            value += weight * (mean * np.log(mean / prior)).sum()
            slope = -(sigma / y - weight * (np.log(mean / prior) + 1)) / points
        return value, (y * (slope - (slope * y).sum(1, keepdims=True))).ravel()

    options = {"gtol": 1e-9, "maxiter": 20_000}
    return minimize(value_and_slope, np.log(sigma).ravel(), jac=True, method="BFGS", options=options).fun
