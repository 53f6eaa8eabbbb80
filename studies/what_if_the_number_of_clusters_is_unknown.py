"""What if the number of clusters is not known?

Paper 2303.16521 (hard regularisation), open question 2: the number of clusters is always that of the classes, and the
authors ask about streams in which it is not known. Levels: half, one and a half, twice and four times as many clusters
as classes, and twice as many at other strengths of the price ln(n + 1), which asks for all of them to be used. Adjusted
mutual information, since NMI grows with the number of clusters by chance alone.

What differs from the paper: an MLP on 64 principal axes of Fashion-MNIST, and noise as a view that is trained on under
the label of the point as it is (`studies/_settings.py`). The local tier says what a wrong number costs when data come
again and again; classes that appear one after another in a stream are not tried.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES, HARD_ON_AXES, PAPER_HARD, SECONDS, quick

STUDY = Study(
    question="What does a wrong number of clusters cost, and does the price on sizes help or harm then?",
    paper="2303.16521",
    datasets=(CLOTHES,),
    n_epochs=32,
    seeds=24,
    metric="ami",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "hard_regularization",
        {
            "cluster_factor": {
                "half": {"cluster_factor": 0.5},
                "one and a half": {"cluster_factor": 1.5},
                "twice": {"cluster_factor": 2.0},
                "twice, no price": {"cluster_factor": 2.0, "penalty": 0.0},
                "twice, double price": {"cluster_factor": 2.0, "penalty": 2.0},
                "four times": {"cluster_factor": 4.0},
            }
        },
        base=HARD_ON_AXES,
    ),
    tiers={
        "quick": quick("digits"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=10,
            base={"hard_regularization": PAPER_HARD},
            epoch_seconds={"hard_regularization": SECONDS["hard_regularization"]},
        ),
    },
)
