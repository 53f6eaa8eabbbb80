"""How heavy an entropy constraint, and does one weight fit all sizes of data?

Paper 2311.14310 (SeCu), supplement, section 3.1: the weight alpha of the entropy constraint is scaled between data sets
by a rule that could not be read; its numbers fit alpha ~ N in one case and N squared in another. If alpha ~ N is right,
the best alpha / N does not move with N. Baseline 0.12 (CIFAR-10); levels 0.03, 0.5 and 1, no constraint at all, and the
lower bound on sizes instead; 500 and 1,000 points.

What differs from the paper: an MLP with batch norm on its output, one head, noise for views on 64 principal axes of
1,000 images of Fashion-MNIST, 40 epochs (`studies/_settings.py`). The local tier can tell a shift of the best weight
only if it is larger than the steps between levels.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_500, CLOTHES_1000, PAPER_SECU, SECONDS, SECU_ON_AXES, quick, without

STUDY = Study(
    question="Does one entropy weight a point fit all sizes of data, and is it as good as a bound on sizes?",
    paper="2311.14310",
    datasets=(CLOTHES_500, CLOTHES_1000),
    n_epochs=40,
    seeds=20,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "secu",
        {
            "constraint": {
                "0.03": {"entropy_weight": 0.03},
                "0.5": {"entropy_weight": 0.5},
                "1": {"entropy_weight": 1.0},
                "none": {"constraint": "none"},
                "lower bound on sizes": {"constraint": "size"},
            }
        },
        base={**SECU_ON_AXES, "constraint": "entropy"},
    ),
    tiers={
        "quick": quick("digits:subset=500", "digits:subset=1000"),
        "paper": Tier(
            datasets=("cifar10:subset=10000", "cifar10"),
            n_epochs=401,
            protocol="split",
            base={"secu": without(PAPER_SECU)},
            epoch_seconds={"secu": SECONDS["secu"]},
        ),
    },
)
