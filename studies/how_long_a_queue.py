"""How long a queue of past embeddings?

Paper 2311.00731 (PIPCDR), open question 3: a queue of past target embeddings makes the centres of CDR less noisy; the
paper saw gains on ImageNet and Tiny-ImageNet, and losses with a very long one. Batches of 32 for 10 clusters (K / B =
0.31) give about three points a centre, which is where a queue should help. Levels: 1, 2, 4, 8 and 16 batches; an epoch
has 16, so the longest holds embeddings of more than an epoch. Seconds and memory a trial stand in the table of arms.

What differs from the paper: an MLP on 64 principal axes of 1,000 images of Fashion-MNIST, noise and dropout for views,
40 epochs, a base chosen without labels (`studies/_settings.py`); losses and defaults are those of ProPos, since
PIPCDR's own text was not found. The local tier says what a queue does for ten clusters; the paper's case is a thousand.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.knobs import Value
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_500, PAPER_PIPCDR, PIPCDR_ON_AXES, SECONDS, quick, without

OF_CIFAR_20: dict[str, Value] = {"batch_size": 256, "ema_schedule": "cosine", "ema_order": "after", "resample": True}
"""What ProPos has otherwise for CIFAR-20."""

STUDY = Study(
    question="Does a queue of past embeddings help when batches are small, and how long may it be?",
    paper="2311.00731",
    datasets=(CLOTHES_500,),
    n_epochs=40,
    seeds=16,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "pipcdr",
        {"queue_ratio": [1, 2, 4, 8, 16]},
        base={**PIPCDR_ON_AXES, "batch_size": 32},
    ),
    tiers={
        "quick": quick("digits:subset=500"),
        "paper": Tier(
            datasets=("cifar100_20",),
            n_epochs=1000,
            base={"pipcdr": without(PAPER_PIPCDR, "queue_ratio") | OF_CIFAR_20},
            epoch_seconds={"pipcdr": SECONDS["pipcdr"]},
        ),
    },
)
