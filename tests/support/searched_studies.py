"""A study that is one search with known effects, and the arms of a comparison of methods."""

import numpy as np
import views


def searched(name="search_pipcdr", method="pipcdr", *, weights=(0.3, 0.0, 0.0), seed=0, dataset="digits", n=40):
    """A search whose NMI rises with its first knob alone; neighbour MI follows NMI, silhouette runs against it."""
    random = np.random.default_rng(seed)
    words = {"pipcdr": ("neighbour_noise", "kmeans_every", "lr"), "secu": ("dual_lr", "lower_bound", "lr")}[method]
    knobs = {word: random.random(n) for word in words}
    base = 0.4 + sum(weight * values for weight, values in zip(weights, knobs.values(), strict=True))
    nmi = base[:, None] + 0.01 * random.standard_normal((n, 4))
    metrics = {"nmi": nmi, "neighbour_mi": 2 * nmi, "silhouette": -nmi}
    return views.view_of_search(name, method, knobs, metrics, dataset=dataset)


ARMS = {
    "baseline": ("kmeans", "baseline"),
    "secu": ("secu", "rival"),
    "pipcdr": ("pipcdr", "rival"),
    "lr=1": ("kmeans", "level"),
}
