"""A function as a method: it reports the clusters that it finds, and never sees a label."""

import numpy as np

from orchestrator.designs.one_factor import one_factor
from orchestrator.knobs import Int, knob
from orchestrator.own import trainable
from orchestrator.study import Study


def assign(config, weights, x):
    """Return the nearest centre of each point; `orchestrate predict` calls it with what was reported as weights."""
    return ((x.reshape(len(x), 1, -1) - weights["centres"]) ** 2).sum(2).argmin(1)


@trainable(knobs={"steps": knob(5, Int(1, 100))}, n_epochs=5, predict=assign)
def lloyd(config, seed, report, data):
    """Train k-means: `steps` rounds of Lloyd's algorithm an epoch."""
    x = data.x.reshape(len(data.x), -1)
    centres = x[np.random.default_rng(seed).choice(len(x), data.n_clusters, replace=False)]
    for epoch in range(config.n_epochs):
        for _ in range(config.steps):
            nearest = assign(config, {"centres": centres}, x)
            for place in np.unique(nearest):
                centres[place] = x[nearest == place].mean(0)
        loss = ((x - centres[nearest]) ** 2).sum(1).mean()
        report(epoch=epoch, loss=loss, assignments=nearest, weights={"centres": centres})


STUDY = Study(
    question="How many steps an epoch does Lloyd's algorithm need?",
    design=one_factor(lloyd, {"steps": [1]}),
    datasets=("digits:subset=300",),
    seeds=8,
    margin=0.02,
)
