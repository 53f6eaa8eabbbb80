"""Where over dispersion and speed of the target does PIPCDR collapse?

Over methods: where does each collapse? For PIPCDR (2311.00731) the two knobs are the weight of cluster dispersion and
the momentum of the target network. Collapse means that the hard clusters' perplexity is below half their number, that
one holds more than 90 %, or that features lie together. The report draws quality and the share of collapsed trials over
both knobs; main effects are tested.

What differs from the paper: 64 principal axes of 500 images of Fashion-MNIST, 40 epochs, an MLP
(`studies/_settings.py`). The local tier shows the shape of the map for a small model; where its edges lie will move
with data and network.
"""

from orchestrator.designs.grid import grid
from orchestrator.study import Study
from studies._settings import CLOTHES_500, PIPCDR_ON_AXES, quick, without

STUDY = Study(
    question="Where over dispersion and speed of the target does PIPCDR collapse?",
    paper="2311.00731",
    datasets=(CLOTHES_500,),
    n_epochs=40,
    seeds=10,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.2,
    design=grid(
        "pipcdr",
        {"cdr_weight": [0.3, 0.0, 0.7, 1.0], "ema": [0.95, 0.9, 0.99, 0.999]},
        base=without(PIPCDR_ON_AXES, "cdr_weight", "ema"),
    ),
    tiers={
        "quick": quick("digits:subset=500"),
    },
)
