"""How much cluster dispersion?

Paper 2311.00731 (PIPCDR) weighs its two losses by w and 1 - w without a sweep that could be read; ProPos' lambda = 0.1
means 1 - w = 1/11. Baseline 0.3; levels 0 (no dispersion), 1/11, 0.6, 0.9 and 1 (dispersion alone).

What differs from the paper: an MLP on 64 principal axes of 1,000 images of Fashion-MNIST, noise and dropout for views,
40 epochs, a base chosen without labels (`studies/_settings.py`); losses and defaults are those of ProPos, since
PIPCDR's own text was not found. The local tier says how wide the good range is on ten kinds of clothes.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_1000, PAPER_PIPCDR, PIPCDR_ON_AXES, SECONDS, quick, without

STUDY = Study(
    question="Which weight of cluster dispersion is best, and how far may one be off?",
    paper="2311.00731",
    datasets=(CLOTHES_1000,),
    n_epochs=40,
    seeds=16,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "pipcdr",
        {
            "cdr_weight": {
                "0": {"cdr_weight": 0.0},
                "1/11": {"cdr_weight": 1.0 / 11.0},
                "0.6": {"cdr_weight": 0.6},
                "0.9": {"cdr_weight": 0.9},
                "1": {"cdr_weight": 1.0},
            }
        },
        base=PIPCDR_ON_AXES,
    ),
    tiers={
        "quick": quick("digits:subset=1000"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=1000,
            base={"pipcdr": without(PAPER_PIPCDR, "cdr_weight")},
            epoch_seconds={"pipcdr": SECONDS["pipcdr"]},
        ),
    },
)
