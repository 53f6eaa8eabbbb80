"""Does hard regularisation hold with deeper networks and with more data?

Paper 2303.16521 (hard regularisation), next check 3 of its summary: larger data and deeper networks. The local tier
cannot carry ImageNet; it can ask in which direction things go: 500 and 2,000 images, encoders of one to three hidden
layers and of four times the width.

What differs from the paper: MLPs on 64 principal axes of Fashion-MNIST, and noise as a view that is trained on under
the label of the point as it is (`studies/_settings.py`). Every trial has 32 epochs, so fewer points also mean fewer
steps.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study
from studies._settings import CLOTHES, CLOTHES_500, HARD_ON_AXES, quick

STUDY = Study(
    question="Does hard regularisation hold with deeper or wider encoders, and with more data?",
    paper="2303.16521",
    datasets=(CLOTHES_500, CLOTHES),
    n_epochs=32,
    seeds=32,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "hard_regularization",
        {"encoder": {"2 layers": {"depth": 2}, "3 layers": {"depth": 3}, "512 wide": {"width": 512}}},
        base=HARD_ON_AXES,
    ),
    tiers={
        "quick": quick("digits:subset=500", "digits"),
    },
)
