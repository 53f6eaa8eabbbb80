"""Does an exact assignment of batches give better clusters than the greedy one?

Paper 2303.16521 (hard regularisation) labels a batch greedily because the exact optimum is dear, and never says what
that costs (its limitations). Here both are trained with: greedy, greedy followed by single moves that lower the
objective, greedy on each point's cost above its least (the exact optimum does not care about that shift, greedy does),
and the exact optimum. Every trial logs by how much greedy and its own solver miss the exact objective
(`diagnostic.greedy_gap`, `diagnostic.solver_gap`).

What differs from the paper: an MLP on 64 principal axes of Fashion-MNIST, and noise as a view that is trained on under
the label of the point as it is (`studies/_settings.py`). The local tier can say whether a lower objective pays at K =
10, batches of 256 and the paper's variance of 100. How gap and times grow is a benchmark, not a study
(`tests/benchmarks/greedy_law.py`): over batches of 64 to 1,024 points and 5 to 50 clusters what greedy misses a point
goes about as K / B, its time as B^0.6 K^0.4 and that of the exact optimum as B^1.15 K^0.5.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES, HARD_ON_AXES, PAPER_HARD, SECONDS, quick, without

STUDY = Study(
    question="Does a lower assignment objective than greedy's give better clusters?",
    paper="2303.16521",
    datasets=(CLOTHES,),
    n_epochs=32,
    seeds=36,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "hard_regularization",
        {
            "solver": {
                "greedy with moves": {"solver": "greedy_icm"},
                "greedy on regret": {"solver": "greedy_regret"},
                "exact": {"solver": "exact"},
            }
        },
        base=HARD_ON_AXES,
    ),
    tiers={
        "quick": quick("digits"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=10,
            base={"hard_regularization": without(PAPER_HARD)},
            epoch_seconds={"hard_regularization": SECONDS["hard_regularization"]},
        ),
    },
)
