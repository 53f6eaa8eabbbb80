"""Does quality follow the preservation of sampled neighbours over training?

Paper 2311.00731 (PIPCDR), next check 1 of its summary: measure over epochs how many sampled neighbours keep their
class, and set that beside the clusters, since PIP would pull classes together where they do not. If early neighbours
that leave their class do harm, then large noise must cost less where it is sampled only later. Four arms: noise 0.1 and
2 (little and most of what the knob allows), each with no warm-up and with one of a fifth of the epochs, in which no
neighbours are sampled. Warm-up does more than that (the learning rate rises, dispersion is off), and as much at either
noise: so the interaction answers, not the effect of warm-up. Every evaluation has `metric.semantic_preservation`, the
share of sampled neighbours whose nearest embedding has the class of the point (labels are read for this, never by
training), and NMI; `python tests/benchmarks/preservation_over_training.py` sets their courses side by side.

What differs from the paper: an MLP on 64 principal axes of 1,000 images of Fashion-MNIST, noise and dropout for views,
50 epochs, a base chosen without labels (`studies/_settings.py`) but for k-means, which runs every epoch, so that NMI is
that of the epoch; losses and defaults are those of ProPos, since PIPCDR's own text was not found.
"""

from orchestrator.designs.factorial import factorial
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_1000, PAPER_PIPCDR, PIPCDR_ON_AXES, SECONDS, quick, without

STUDY = Study(
    question="Does quality follow preserved neighbours over training: does it pay to sample them only later?",
    paper="2311.00731",
    datasets=(CLOTHES_1000,),
    n_epochs=50,
    seeds=24,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=factorial(
        "pipcdr",
        {"neighbour_noise": [0.1, 2.0], "warmup_share": [0.0, 0.2]},
        base={**without(PIPCDR_ON_AXES, "neighbour_noise"), "kmeans_every": 1},
    ),
    tiers={
        "quick": quick("digits:subset=500"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=1000,
            base={"pipcdr": without(PAPER_PIPCDR, "neighbour_noise") | {"noise_units": "relative"}},
            epoch_seconds={"pipcdr": SECONDS["pipcdr"]},
        ),
    },
)
