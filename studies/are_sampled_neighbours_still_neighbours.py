"""Do sampled neighbours stay with points of their own class?

Paper 2311.00731 (PIPCDR), next check 1 of its summary: PIP assumes that the noisy copy of an embedding still belongs to
the same class; measure how often, over sigma, and set it beside accuracy. `metric.semantic_preservation` is the share
of sampled neighbours whose nearest embedding has the class of the point (labels are read for this, never by training);
`diagnostic.centre_preservation` the share that keeps its nearest centre. Trials are those of
`how_much_neighbour_noise`, so that NMI can be read beside, arm by arm.

What differs from the paper: an MLP on 64 principal axes of 1,000 images of Fashion-MNIST, noise and dropout for views,
40 epochs, a base chosen without labels (`studies/_settings.py`); losses and defaults are those of ProPos, since
PIPCDR's own text was not found. Preservation is that at the end of training; its course over epochs is asked for in
`does_quality_follow_preserved_neighbours`.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_1000, PAPER_PIPCDR, PIPCDR_ON_AXES, SECONDS, quick, without

STUDY = Study(
    question="Up to which noise do sampled neighbours stay with points of their own class?",
    paper="2311.00731",
    datasets=(CLOTHES_1000,),
    n_epochs=40,
    seeds=12,
    metric="semantic_preservation",
    margin=0.02,
    beats_chance_by=0.3,
    design=one_factor(
        "pipcdr",
        {"neighbour_noise": [0.0, 0.3, 1.0, 2.0]},
        base=PIPCDR_ON_AXES,
    ),
    tiers={
        "quick": quick("digits:subset=1000"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=1000,
            base={"pipcdr": without(PAPER_PIPCDR, "neighbour_noise") | {"noise_units": "relative"}},
            epoch_seconds={"pipcdr": SECONDS["pipcdr"]},
        ),
    },
)
