"""Does an upper bound on cluster sizes help SeCu?

Paper 2311.14310 (SeCu), supplement, section 2, adds an upper bound on sizes, in units of N / K, that its code has not.
Baseline: the lower bound 0.9 alone. Levels: an upper bound of 1.1, 1.5 and 2 beside it, and of 1.5 without a lower one.
Data: even classes, where a bound near 1 should cost nothing, and classes from 1 to 1/10, where it is wrong.

What differs from the paper: an MLP with batch norm on its output, noise for views on 64 principal axes of 1,000 images
of Fashion-MNIST, 40 epochs (`studies/_settings.py`). The local tier can tell whether the second bound does anything
that the first does not.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_1000, CLOTHES_1000_IMBALANCED, PAPER_SECU, SECONDS, SECU_ON_AXES, quick, without

STUDY = Study(
    question="Does an upper bound on cluster sizes add anything to the lower one, on even and on uneven classes?",
    paper="2311.14310",
    datasets=(CLOTHES_1000, CLOTHES_1000_IMBALANCED),
    n_epochs=40,
    seeds=16,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "secu",
        {
            "bounds": {
                "upper 1.1": {"upper_bound": 1.1},
                "upper 1.5": {"upper_bound": 1.5},
                "upper 2": {"upper_bound": 2.0},
                "upper 1.5, no lower": {"upper_bound": 1.5, "lower_bound": 0.0},
            }
        },
        base=SECU_ON_AXES,
    ),
    tiers={
        "quick": quick("digits:subset=1000", "digits:imbalance=3"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=401,
            protocol="split",
            base={"secu": without(PAPER_SECU)},
            epoch_seconds={"secu": SECONDS["secu"]},
        ),
    },
)
