"""How tight a lower bound on cluster sizes, and how fast its duals?

Paper 2311.14310 (SeCu), supplement, Table 2: on CIFAR-10 the lower bound 0.9 (in units of N / K) has 88.1 % accuracy,
0.8 87.6, 0.7 86.6 and the equality 85.4; without spreads. Levels: 1, 0.7, 0.4 and 0 around 0.9, and dual learning rates
of an eighth and eight times 0.8. Data: balanced clothes, where a tight bound should cost nothing, and clothes with
classes of 1 : 10, where it is wrong for the rare ones.

What differs from the paper: an MLP with batch norm on its output, one head, noise for views on 64 principal axes of
1,000 images of Fashion-MNIST, 40 epochs (`studies/_settings.py`). The local tier can tell whether the order of Table 2
holds, and which way imbalance moves it.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_1000, CLOTHES_1000_IMBALANCED, PAPER_SECU, SECONDS, SECU_ON_AXES, quick, without

STUDY = Study(
    question="How tight a lower bound and how fast a dual suit SeCu, and does imbalance change that?",
    paper="2311.14310",
    datasets=(CLOTHES_1000, CLOTHES_1000_IMBALANCED),
    n_epochs=40,
    seeds=24,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "secu",
        {
            "lower_bound": [1.0, 0.7, 0.4, 0.0],
            "dual_lr": [0.1, 6.4],
        },
        base=SECU_ON_AXES,
    ),
    tiers={
        "quick": quick("digits:subset=1000", "digits:imbalance=3"),
        "paper": Tier(
            datasets=("cifar10", "cifar10:imbalance=3"),
            n_epochs=401,
            protocol="split",
            base={"secu": without(PAPER_SECU, "dual_lr")},
            epoch_seconds={"secu": SECONDS["secu"]},
        ),
    },
)
