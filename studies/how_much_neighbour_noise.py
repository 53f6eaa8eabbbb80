"""How much noise makes a good sampled neighbour?

Paper 2311.00731 (PIPCDR), open question 1: sigma, the noise that turns an embedding into its "neighbour", was tried on
CIFAR-10 only; what is best at other sizes of data, and what it costs, is not said. Sigma counts in |z| / sqrt(d) here
(`noise_units` relative), or its meaning would drift with |z|. Baseline 0.1; levels none, 0.3, 1 and 2; 500 and 1,000
points. Noise is drawn, not searched for, so cost should be flat: seconds a trial stand in the table of arms.

What differs from the paper: an MLP on 64 principal axes of 1,000 images of Fashion-MNIST, noise and dropout for views,
40 epochs, a base chosen without labels (`studies/_settings.py`); losses and defaults are those of ProPos, since
PIPCDR's own text was not found. The local tier can say how far sigma may go before it hurts, at a size ratio of 1 : 2,
not what 50,000 images do.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_500, CLOTHES_1000, PAPER_PIPCDR, PIPCDR_ON_AXES, SECONDS, quick, without

STUDY = Study(
    question="How much noise makes the best sampled neighbour, and does that change with the size of the data?",
    paper="2311.00731",
    datasets=(CLOTHES_500, CLOTHES_1000),
    n_epochs=40,
    seeds=16,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "pipcdr",
        {"neighbour_noise": [0.0, 0.3, 1.0, 2.0]},
        base=PIPCDR_ON_AXES,
    ),
    tiers={
        "quick": quick("digits:subset=500", "digits:subset=1000"),
        "paper": Tier(
            datasets=("cifar10:subset=10000", "cifar10"),
            n_epochs=1000,
            base={"pipcdr": without(PAPER_PIPCDR, "neighbour_noise") | {"noise_units": "relative"}},
            epoch_seconds={"pipcdr": SECONDS["pipcdr"]},
        ),
    },
)
