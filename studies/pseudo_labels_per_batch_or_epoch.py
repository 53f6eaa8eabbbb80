"""Pseudo-labels for each batch, or once an epoch?

Paper 2301.11405 (entropy clustering), Fig. 12: on MNIST with a linear head and 50 epochs, labels made for each batch
end at 63 % accuracy, labels made once an epoch at 52 %. Asked again with 50 epochs; labels also ten times an epoch. How
stale labels get counts in steps: the paper's epoch has 280, so batches are of 50 points here, which gives 40 steps, at
a fifth of the learning rate of the other studies.

What differs from the paper: a linear head on pixels of 2,000 MNIST images instead of features of a ResNet-50 on whole
sets, learning rate 1 and 50 epochs (`studies/_settings.py`).
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import PAPER_ENTROPY, SECONDS, quick

STUDY = Study(
    question="Do pseudo-labels made for each batch cluster better than labels made once an epoch?",
    paper="2301.11405",
    datasets=("mnist_5k:subset=2000",),
    n_epochs=50,
    seeds=24,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "entropy",
        {"update": ["tenth", "epoch"]},
        base={"lr": 1.0, "batch_size": 50},
    ),
    tiers={
        "quick": quick("mnist_5k:subset=1000"),
        "paper": Tier(
            datasets=("mnist",),
            n_epochs=50,
            base={"entropy": PAPER_ENTROPY},
            epoch_seconds={"entropy": SECONDS["entropy"]},
        ),
    },
)
