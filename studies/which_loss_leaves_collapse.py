"""Which loss leaves a collapsed start?

Paper 2301.11405 (entropy clustering), section 3: fairness makes collapse no optimum, but near it the pseudo-labels are
almost uniform and reverse cross-entropy has almost no gradient there, so it may leave collapse slowly. Every trial
starts with one class's bias ahead by 6 (nearly all points in one cluster). Losses: reverse (the paper's), forward,
symmetric, collision, and mutual information without pseudo-labels; reverse also from a start that is not collapsed.

What differs from the paper: a linear head on pixels of digits, 40 epochs (`studies/_settings.py`). The local tier says
who is out after 40 epochs at a learning rate of 5, not how long a deep network would stay.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import ENTROPY, PAPER_ENTROPY, SECONDS

STUDY = Study(
    question="Which loss leaves a start at collapse within the training that the others need anyway?",
    paper="2301.11405",
    datasets=("digits",),
    n_epochs=40,
    seeds=20,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.1,
    design=one_factor(
        "entropy",
        {
            "loss": {
                "forward": {"loss": "forward"},
                "symmetric": {"loss": "symmetric"},
                "collision": {"loss": "collision"},
                "mutual information": {
                    "loss": "renyi",
                    "fairness": "entropy",
                    "fairness_weight": 1.0,
                },
                "reverse, not collapsed": {"init_gap": 0.0},
            }
        },
        base={**ENTROPY, "init_gap": 6.0},
    ),
    tiers={
        "paper": Tier(
            datasets=("mnist",),
            n_epochs=50,
            base={"entropy": PAPER_ENTROPY},
            epoch_seconds={"entropy": SECONDS["entropy"]},
        )
    },
)
