"""Is reverse cross-entropy really robust to wrong labels?

Paper 2301.11405 (entropy clustering), Fig. 11 and open question 1 of its summary: with labels drawn anew at random for
a share of points, reverse cross-entropy H(sigma, y) keeps its accuracy longer than forward H(y, sigma). Only one kind
of noise is shown. Here all labels are given and noisy: drawn anew for half or 80 % of the points (the paper's kind),
moved to the next class, or given by the nearest other class mean to the most ambiguous points. Losses: reverse,
forward, their mean, and collision -ln sum sigma y.

Targets are softened as in the paper, eta u + (1 - eta) y, at eta = 0.3 for all arms (the paper ties eta to the noise,
which nobody knows beforehand); accuracy is against the true labels of the same points. What differs from the paper: a
linear head on 64 principal axes of 2,000 Fashion-MNIST images, learning rate 1 and 80 epochs so that training comes to
rest at the milder kinds of noise. A linear head cannot learn noise by heart, so the local tier is a mild test of
robustness: what it claims is the order of losses for a model of little capacity.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.knobs import Value
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES, PAPER_ENTROPY, SECONDS, quick, without

KNOWN: dict[str, Value] = {"lr": 1.0, "fairness": "none", "supervised_weight": 0.0, "given_softness": 0.3}

STUDY = Study(
    question="Is reverse cross-entropy more robust than forward to wrong labels, whatever their kind?",
    paper="2301.11405",
    datasets=(
        f"{CLOTHES},noise=uniform:0.5",
        f"{CLOTHES},noise=uniform:0.8",
        f"{CLOTHES},noise=class:0.4",
        f"{CLOTHES},noise=instance:0.2",
        f"{CLOTHES},noise=instance:0.4",
    ),
    n_epochs=80,
    seeds=16,
    metric="acc",
    margin=0.02,
    beats_chance_by=0.1,
    design=one_factor("entropy", {"loss": ["forward", "symmetric", "collision"]}, base=KNOWN),
    tiers={
        "quick": quick(
            "digits:noise=uniform:0.5",
            "digits:noise=uniform:0.8",
            "digits:noise=class:0.4",
            "digits:noise=instance:0.2",
            "digits:noise=instance:0.4",
        ),
        "paper": Tier(
            datasets=("stl10:noise=uniform:0.4", "stl10:noise=class:0.4"),
            n_epochs=50,
            base={"entropy": without(PAPER_ENTROPY)},
            epoch_seconds={"entropy": SECONDS["entropy"]},
        ),
    },
)
