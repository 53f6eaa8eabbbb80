"""Where over lower bound and dual learning rate does SeCu collapse?

Over methods: where does each collapse? For SeCu (2311.14310) the two knobs are the lower bound on sizes and the
learning rate of its duals. Collapse means that the hard clusters' perplexity is below half their number, that one holds
more than 90 %, or that features lie together. The report draws quality and the share of collapsed trials over both
knobs; main effects are tested.

What differs from the paper: 64 principal axes of 500 images of Fashion-MNIST, 40 epochs, an MLP
(`studies/_settings.py`). The local tier shows the shape of the map for a small model; where its edges lie will move
with data and network.
"""

from orchestrator.designs.grid import grid
from orchestrator.study import Study
from studies._settings import CLOTHES_500, SECU_ON_AXES, quick, without

STUDY = Study(
    question="Where over lower bound and dual learning rate does SeCu collapse?",
    paper="2311.14310",
    datasets=(CLOTHES_500,),
    n_epochs=40,
    seeds=24,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.2,
    design=grid(
        "secu",
        {"lower_bound": [0.9, 0.0, 0.4, 1.0], "dual_lr": [0.8, 0.02, 0.1, 6.4]},
        base=without(SECU_ON_AXES, "dual_lr"),
    ),
    tiers={
        "quick": quick("digits:subset=500"),
    },
)
