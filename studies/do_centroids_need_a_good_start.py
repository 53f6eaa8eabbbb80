"""Do centroids need a good start?

Paper 2303.16521 (hard regularisation), next check 2 of its summary: whether the start of the centroids decides about
collapse. Its code draws them from N(0, 1), far from any feature. Levels: features of the first K or of random points,
k-means++ and k-means on features, and the encoder's first weights times 3 (features farther apart).

What differs from the paper: an MLP on 64 principal axes of Fashion-MNIST, and noise as a view that is trained on under
the label of the point as it is (`studies/_settings.py`). The local tier says what the start does to the last epoch's
clusters and to collapse, which stands beside each verdict; whether it speeds up training is in the curves of the
report.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES, HARD_ON_AXES, PAPER_HARD, SECONDS, quick

STUDY = Study(
    question="Does the start of the centroids matter for quality or collapse?",
    paper="2303.16521",
    datasets=(CLOTHES,),
    n_epochs=32,
    seeds=40,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "hard_regularization",
        {
            "centroid_init": ["first_features", "random_features", "kmeans_plus_plus", "kmeans"],
            "init_scale": [3.0],
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
