"""Is SeCu indifferent to the output dimension?

Paper 2311.14310 (SeCu), supplement, Table 1: 64, 128, 256 and 512 dimensions have 79.3, 79.4, 79.3 and 79.0 % NMI on
CIFAR-10. A claim of equivalence, tested as one: within 3 points of NMI of 64 dimensions; 16 and 32 are below the
paper's range.

What differs from the paper: an MLP with batch norm on its output, one head, noise for views on 64 principal axes of
1,000 images of Fashion-MNIST, 40 epochs (`studies/_settings.py`). The local tier asks the same of a 128-wide head,
where 256 dimensions are more than what comes in.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_1000, PAPER_SECU, SECONDS, SECU_ON_AXES, quick, without

STUDY = Study(
    question="Is SeCu indifferent to the output dimension?",
    paper="2311.14310",
    datasets=(CLOTHES_1000,),
    n_epochs=40,
    seeds=36,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "secu",
        {"output_dim": [16, 32, 128, 256]},
        base=SECU_ON_AXES,
    ),
    tiers={
        "quick": quick("digits:subset=1000"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=401,
            protocol="split",
            base={"secu": without(PAPER_SECU, "output_dim")},
            epoch_seconds={"secu": SECONDS["secu"]},
        ),
    },
)
