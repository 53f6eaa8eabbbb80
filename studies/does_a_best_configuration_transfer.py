"""Does the best configuration of one dataset serve on another?

Paper 2301.11405 (entropy clustering) tunes lambda and gamma for each dataset by hand; what a configuration is worth on
data that it was not tuned on is not told. Three configurations of lambda, gamma and the learning rate, each the choice
of the search of `search_entropy` on one dataset (24 configurations on two seeds of the `search` block, by neighbour
mutual information, which sees no labels: `orchestrate run search_entropy --set dataset=...`, 40 epochs), and the local
settings of the other studies, are tried on all three datasets, on seeds that no search has seen. Baseline: what was
found on Fashion-MNIST; on the other datasets its differences are what a configuration loses away from home.

What differs from the paper: a linear head on 64 principal axes of 2,000 Fashion-MNIST images, on 2,000 windows of a
watch and on 2,000 handwritten digits, 60 epochs. The local tier says how far choices of three knobs of a linear head
carry over three kinds of data of one size.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study
from studies._settings import ACTIVITY, CLOTHES, ENTROPY, quick

ON_CLOTHES = {"fairness_weight": 213.3, "norm_weight": 0.0107, "lr": 1.259}
ON_ACTIVITY = {"fairness_weight": 154.7, "norm_weight": 0.01866, "lr": 2.769}
ON_DIGITS = {"fairness_weight": 568.9, "norm_weight": 0.005381, "lr": 4.131}
"""Choices of the three searches, to four digits."""

STUDY = Study(
    question="What does a configuration lose on data that it was not tuned on?",
    paper="2301.11405",
    datasets=(CLOTHES, ACTIVITY, "mnist_5k:subset=2000"),
    n_epochs=60,
    seeds=40,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "entropy",
        {
            "tuned on": {
                "activity": ON_ACTIVITY,
                "digits": ON_DIGITS,
                "nothing": {"fairness_weight": 100.0, "norm_weight": 0.001, **ENTROPY},
            }
        },
        base=ON_CLOTHES,
    ),
    tiers={
        "quick": quick("digits", "mnist_5k:subset=1000", "digits:imbalance=3"),
    },
)
