"""Which fairness term keeps clusters in use?

Paper 2301.11405 (entropy clustering), open question 2 of its summary: why strong fairness KL(u || ybar), and how do
other terms compare? Levels: KL(ybar || u) (the standard one, -H(ybar) but for a constant), the strong term on
predictions instead of pseudo-labels, exactly equal sizes by transport, none; and lambda 10 and 1,000 instead of 100.
Data: balanced Fashion-MNIST, and the same with classes from 1 to 1/10, where "fair" is wrong.

What differs from the paper: a linear head on 64 principal axes of 2,000 images instead of features of a ResNet-50 on
whole sets, learning rate 5 and 30 epochs (`studies/_settings.py`). The local tier says which terms hold clusters open
for a linear head, and what an uneven truth costs each.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES, CLOTHES_IMBALANCED, ENTROPY, PAPER_ENTROPY, SECONDS, quick

STUDY = Study(
    question="Which form and weight of fairness is best, on balanced and on imbalanced classes?",
    paper="2301.11405",
    datasets=(CLOTHES, CLOTHES_IMBALANCED),
    n_epochs=30,
    seeds=30,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "entropy",
        {
            "fairness": ["kl_y_u", "kl_u_sigma", "transport", "none"],
            "fairness_weight": [10.0, 1000.0],
            "term and weight": {"kl_y_u, 10": {"fairness": "kl_y_u", "fairness_weight": 10.0}},
        },
        base=ENTROPY,
    ),
    tiers={
        "quick": quick("digits", "digits:imbalance=3"),
        "paper": Tier(
            datasets=("mnist", "mnist:imbalance=3"),
            n_epochs=50,
            base={"entropy": PAPER_ENTROPY},
            epoch_seconds={"entropy": SECONDS["entropy"]},
        ),
    },
)
