"""How does hard regularisation fare with smaller and larger batches?

Paper 2303.16521 (hard regularisation), open question 1: it only tried batches of 256, since the exact assignment grows
with the cube of the batch. The price ln(n + 1) starts anew in every batch, so the batch sets how strongly even sizes
are asked for, and how many steps an epoch has.

Levels: batches of 64 to 1,024 at one learning rate, and two at rates scaled with the batch, since a small batch also
means more steps. What differs from the paper: an MLP on 64 principal axes of Fashion-MNIST, and noise as a view that is
trained on under the label of the point as it is (`studies/_settings.py`). The local tier can say how the method answers
to the batch on 2,000 images; batches of 1,024 are more than half of them. Time a batch is in the ledger
(`cost.seconds`).
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES, HARD_CENTROID_LR, HARD_LR, HARD_ON_AXES, PAPER_HARD, SECONDS, quick, without

STUDY = Study(
    question="Does hard regularisation depend on the batch size?",
    paper="2303.16521",
    datasets=(CLOTHES,),
    n_epochs=32,
    seeds=24,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "hard_regularization",
        {
            "batch_size": {
                "64": {"batch_size": 64},
                "64 at a quarter of the rates": {
                    "batch_size": 64,
                    "lr": HARD_LR / 4,
                    "centroid_lr": HARD_CENTROID_LR / 4,
                },
                "128": {"batch_size": 128},
                "512": {"batch_size": 512},
                "512 at twice the rates": {"batch_size": 512, "lr": HARD_LR * 2, "centroid_lr": HARD_CENTROID_LR * 2},
                "1024": {"batch_size": 1024},
            }
        },
        base=HARD_ON_AXES,
    ),
    tiers={
        "quick": quick("digits"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=10,
            base={"hard_regularization": without(PAPER_HARD, "batch_size", "lr", "centroid_lr")},
            epoch_seconds={"hard_regularization": SECONDS["hard_regularization"]},
        ),
    },
)
