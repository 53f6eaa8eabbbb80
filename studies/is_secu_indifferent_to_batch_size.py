"""Is SeCu indifferent to the batch size?

Paper 2311.14310 (SeCu), supplement, Table 3: batches of 32, 64, 128 and 256 have 87.9, 88.3, 88.1 and 87.9 % accuracy
on CIFAR-10, which the paper reads as insensitivity. That is a claim of equivalence, so it is tested as one: within 3
points of NMI of batch 64, at unchanged learning rates as in the paper.

What differs from the paper: an MLP with batch norm on its output, one head, noise for views on 64 principal axes of
1,000 images of Fashion-MNIST, 40 epochs (`studies/_settings.py`). With 1,000 points a batch of 256 leaves four steps an
epoch, the paper's 195: a difference here may be one of steps.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_1000, PAPER_SECU, SECONDS, SECU_ON_AXES, quick, without

STUDY = Study(
    question="Is SeCu indifferent to the batch size?",
    paper="2311.14310",
    datasets=(CLOTHES_1000,),
    n_epochs=40,
    seeds=16,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "secu",
        {"batch_size": [32, 128, 256]},
        base=SECU_ON_AXES,
    ),
    tiers={
        "quick": quick("digits:subset=1000"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=401,
            protocol="split",
            base={"secu": without(PAPER_SECU, "batch_size")},
            epoch_seconds={"secu": SECONDS["secu"]},
        ),
    },
)
