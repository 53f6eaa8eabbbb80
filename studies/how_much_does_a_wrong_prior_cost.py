"""How sensitive is hard regularisation to the prior over clusters?

Paper 2303.16521 (hard regularisation), open question 3: any prior may enter the assignment as -ln pi_k, but the paper
mostly uses the uniform one. Its reference code gives the true shares to clusters through the true labels; here priors
are matched to clusters by rank of size, which sees none.

Baseline: uniform. Levels: the shares of the paper's strongest imbalance (right on `imbalance=3`, wrong on
`imbalance=1`), the same at half strength, shares of k-means, and the strongest imbalance given to clusters in reverse.
What differs from the paper: an MLP on 64 principal axes of Fashion-MNIST, and noise as a view that is trained on under
the label of the point as it is (`studies/_settings.py`). The local tier says what priors do at a ratio of 1 : 10
between classes of 20 to 200 points or more.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_IMBALANCED, CLOTHES_UNEVEN, HARD_ON_AXES, PAPER_HARD, SECONDS, quick

STUDY = Study(
    question="What does a right or a wrong prior over cluster sizes do on balanced and on imbalanced data?",
    paper="2303.16521",
    datasets=(CLOTHES_UNEVEN, CLOTHES_IMBALANCED),
    n_epochs=32,
    seeds=24,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "hard_regularization",
        {
            "prior": {
                "strongest imbalance": {"prior": "given", "prior_level": 3},
                "strongest imbalance, half strength": {"prior": "given", "prior_level": 3, "prior_strength": 0.5},
                "estimated by k-means": {"prior": "estimated"},
                "reversed": {"prior": "reversed", "prior_level": 3},
            }
        },
        base=HARD_ON_AXES,
    ),
    tiers={
        "quick": quick("digits:imbalance=1", "digits:imbalance=3"),
        "paper": Tier(
            datasets=("cifar10:imbalance=1", "cifar10:imbalance=3"),
            n_epochs=10,
            base={"hard_regularization": PAPER_HARD},
            epoch_seconds={"hard_regularization": SECONDS["hard_regularization"]},
        ),
    },
)
