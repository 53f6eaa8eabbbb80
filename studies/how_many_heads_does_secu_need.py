"""How many heads does SeCu need?

Paper 2311.14310 (SeCu) trains ten heads on CIFAR-10, the first with as many clusters as classes, each further one with
K more, and scores the first; what the others add was not found. Baseline: one head. Levels: 3, 6 and 10, and three
heads of K clusters each, which are the same question asked thrice. Seconds a trial stand beside.

What differs from the paper: an MLP with batch norm on its output, noise for views on 64 principal axes of 1,000 images
of Fashion-MNIST, 40 epochs (`studies/_settings.py`). The local tier says what further heads add to a small encoder that
has ten kinds of clothes to tell apart.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_1000, PAPER_SECU, SECONDS, SECU_ON_AXES, quick, without

STUDY = Study(
    question="Do further heads improve the first one of SeCu, and is it their finer clusters?",
    paper="2311.14310",
    datasets=(CLOTHES_1000,),
    n_epochs=40,
    seeds=16,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "secu",
        {
            "heads": {
                "3": {"heads": 3},
                "6": {"heads": 6},
                "10": {"heads": 10},
                "3, all of K": {"heads": 3, "head_spacing": 0},
            }
        },
        base=SECU_ON_AXES,
    ),
    tiers={
        "quick": quick("digits:subset=1000"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=401,
            protocol="split",
            base={"secu": without(PAPER_SECU, "heads")},
            epoch_seconds={"secu": SECONDS["secu"]},
        ),
    },
)
