"""Pseudo-labels for each batch, or once an epoch?

Paper 2301.11405 (entropy clustering), Fig. 12: on MNIST with a linear head and 50 epochs, labels made for each batch
end at 63 % accuracy, labels made once an epoch at 52 %. Asked again with 50 epochs at the settings of the other studies
also with labels made ten times an epoch, and, since stale labels hurt more the faster the model moves, at a tenth of
the learning rate.

What differs from the paper: a linear head on pixels of digits (and 2,000 MNIST images) instead of features of a
ResNet-50 on whole sets, learning rate 5 and 40 epochs so that training comes to rest (`studies/_settings.py`).
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import ENTROPY, PAPER_ENTROPY, SECONDS, without

STUDY = Study(
    question="Do pseudo-labels made for each batch cluster better than labels made once an epoch?",
    paper="2301.11405",
    datasets=("mnist_5k:subset=2000", "digits"),
    n_epochs=50,
    seeds=20,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "entropy",
        {
            "labels": {
                "ten times an epoch": {"update": "tenth"},
                "once an epoch": {"update": "epoch"},
                "each batch, a tenth of the rate": {"lr": 0.5},
                "once an epoch, a tenth of the rate": {"update": "epoch", "lr": 0.5},
            }
        },
        base=ENTROPY,
    ),
    tiers={
        "paper": Tier(
            datasets=("mnist",),
            n_epochs=50,
            base={"entropy": without(PAPER_ENTROPY, "lr")},
            epoch_seconds={"entropy": SECONDS["entropy"]},
        )
    },
)
