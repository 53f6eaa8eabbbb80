"""Which loss leaves a collapsed start?

Paper 2301.11405 (entropy clustering), section 3: fairness makes collapse no optimum, but near it the pseudo-labels are
almost uniform and reverse cross-entropy has almost no gradient there, so it may leave collapse slowly. The baseline
starts as usual, with reverse cross-entropy; in all levels one class's bias is ahead by 6 at the start (nearly all
points in one cluster), with reverse, forward, symmetric and collision cross-entropy, and with mutual information
without pseudo-labels.

What differs from the paper: a linear head on 64 principal axes of 2,000 Fashion-MNIST images, 50 epochs
(`studies/_settings.py`). The local tier says who is out after 50 epochs at a learning rate of 5, not how long a deep
network would stay.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES, ENTROPY, PAPER_ENTROPY, SECONDS, quick

STUDY = Study(
    question="Which loss leaves a start at collapse within the training that the others need anyway?",
    paper="2301.11405",
    datasets=(CLOTHES,),
    n_epochs=50,
    seeds=30,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "entropy",
        {
            "start at collapse": {
                "reverse": {"init_gap": 6.0},
                "forward": {"init_gap": 6.0, "loss": "forward"},
                "symmetric": {"init_gap": 6.0, "loss": "symmetric"},
                "collision": {"init_gap": 6.0, "loss": "collision"},
                "mutual information": {
                    "init_gap": 6.0,
                    "loss": "renyi",
                    "fairness": "entropy",
                    "fairness_weight": 1.0,
                },
            }
        },
        base=ENTROPY,
    ),
    tiers={
        "quick": quick("digits"),
        "paper": Tier(
            datasets=("mnist",),
            n_epochs=50,
            base={"entropy": PAPER_ENTROPY},
            epoch_seconds={"entropy": SECONDS["entropy"]},
        ),
    },
)
