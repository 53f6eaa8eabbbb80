"""How often must k-means run?

Paper 2311.00731 (PIPCDR), open question 2: pseudo-labels come from k-means every r epochs; the paper says that large r
does no harm on CIFAR-10, not how far that goes at other sizes. Baseline r = 1; levels 5, 20 and 40: of 100 epochs, the
last runs k-means thrice, and the first 40 epochs keep the labels of the untrained network (the reported clusters always
come from a last k-means). What k-means costs shows in the seconds a trial.

What differs from the paper: an MLP on 64 principal axes of 1,000 images of Fashion-MNIST, noise and dropout for views,
100 epochs (after 40 the two largest r were still moving), a base chosen without labels (`studies/_settings.py`); losses
and defaults are those of ProPos, since PIPCDR's own text was not found. The local tier can say which r is equivalent to
1 within the margin over 100 epochs at a size ratio of 1 : 2.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_500, CLOTHES_1000, PAPER_PIPCDR, PIPCDR_ON_AXES, SECONDS, quick, without

STUDY = Study(
    question="How seldom may k-means run before clusters get worse, and does that change with the size of the data?",
    paper="2311.00731",
    datasets=(CLOTHES_500, CLOTHES_1000),
    n_epochs=100,
    seeds=16,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "pipcdr",
        {"kmeans_every": [5, 20, 40]},
        base={**PIPCDR_ON_AXES, "kmeans_every": 1},
    ),
    tiers={
        "quick": quick("digits:subset=500", "digits:subset=1000"),
        "paper": Tier(
            datasets=("cifar10:subset=10000", "cifar10"),
            n_epochs=1000,
            base={"pipcdr": without(PAPER_PIPCDR, "kmeans_every")},
            epoch_seconds={"pipcdr": SECONDS["pipcdr"]},
        ),
    },
)
