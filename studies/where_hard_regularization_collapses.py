"""Where over price and variance does hard regularisation collapse?

Over methods: where does each collapse? For hard regularisation (2303.16521) the two knobs are the weight of the price
ln(n + 1) and the variance that distances are divided by. Collapse means that the hard clusters' perplexity is below
half their number, that one holds more than 90 %, or that features lie together. The report draws quality and the share
of collapsed trials over both knobs; main effects are tested.

What differs from the paper: 64 principal axes of 500 images of Fashion-MNIST, 40 epochs, an MLP
(`studies/_settings.py`). The local tier shows the shape of the map for a small model; where its edges lie will move
with data and network.
"""

from orchestrator.designs.grid import grid
from orchestrator.study import Study
from studies._settings import CLOTHES_500, HARD_ON_AXES, quick

STUDY = Study(
    question="Where over price and variance does hard regularisation collapse?",
    paper="2303.16521",
    datasets=(CLOTHES_500,),
    n_epochs=40,
    seeds=16,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.2,
    design=grid(
        "hard_regularization",
        {"penalty": [1.0, 0.0, 0.25, 4.0], "variance": [100.0, 3.0, 30.0, 1000.0]},
        base=HARD_ON_AXES,
    ),
    tiers={
        "quick": quick("digits:subset=500"),
    },
)
