"""Where over lambda and learning rate does entropy clustering collapse?

Over methods: where does each collapse? For entropy clustering (2301.11405) the two most important knobs are the weight
of fairness and the learning rate. Collapse means that the hard clusters' perplexity is below half their number, that
one holds more than 90 %, or that features lie together. The report draws quality and the share of collapsed trials over
both knobs; main effects are tested.

What differs from the paper: 2,000 images of Fashion-MNIST, 40 epochs, a linear head (`studies/_settings.py`). The local
tier shows the shape of the map for a small model; where its edges lie will move with data and network.
"""

from orchestrator.designs.grid import grid
from orchestrator.study import Study
from studies._settings import CLOTHES, ENTROPY, quick, without

STUDY = Study(
    question="Where over lambda and learning rate does entropy clustering collapse?",
    paper="2301.11405",
    datasets=(CLOTHES,),
    n_epochs=40,
    seeds=10,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.2,
    design=grid(
        "entropy",
        {"fairness_weight": [100.0, 1.0, 10.0, 1000.0], "lr": [5.0, 0.1, 1.0, 10.0]},
        base=without(ENTROPY, "lr"),
    ),
    tiers={
        "quick": quick("digits"),
    },
)
