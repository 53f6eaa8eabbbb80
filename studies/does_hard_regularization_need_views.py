"""Does hard regularisation need random views?

Paper 2303.16521 (hard regularisation) trains without augmentation; the local studies here add noise as a view, under
the label of the point as it is (`studies/_settings.py`), because it was chosen so by neighbour mutual information.
Levels: no view at all, half the noise, dropout instead, both; and the label taken from the view, as in the paper's
code.

What differs from the paper: an MLP on 64 principal axes of 2,000 images of Fashion-MNIST, 32 epochs. The local tier
says whether what the other studies add to the paper's method changes its answer.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES, HARD_ON_AXES, HARD_VIEW_STRENGTH, PAPER_HARD, SECONDS, quick, without

STUDY = Study(
    question="What do random views add to hard regularisation, and which of them?",
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
            "view": {
                "none": {"view": "none"},
                "half the noise": {"view_strength": HARD_VIEW_STRENGTH / 2},
                "dropout": {"view": "dropout"},
                "noise and dropout": {"view": "noise_dropout"},
                "label from the view": {"label_from": "view"},
            }
        },
        base=HARD_ON_AXES,
    ),
    tiers={
        "quick": quick("digits"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=10,
            base={"hard_regularization": without(PAPER_HARD, "view", "label_from", "view_strength")},
            epoch_seconds={"hard_regularization": SECONDS["hard_regularization"]},
        ),
    },
)
