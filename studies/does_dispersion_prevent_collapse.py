"""Does the dispersion of clusters keep representations from collapsing?

Paper 2311.00731 (PIPCDR), next check 2 of its summary: nothing in the paper measures collapse. `metric.feature_std` is
the standard deviation of normalised embeddings, a mean over dimensions: 0 when all points fall together, 0.177 (one
over the root of 32) when they are spread evenly. Levels: plain BYOL, either part alone, the dispersion loss alone (no
alignment), no slow target (m = 0.9), no warm-up. Imbalance of cluster sizes is in `diagnostic.imbalance_ratio`, epoch
by epoch; collapsed trials stand beside each verdict.

What differs from the paper: an MLP on 64 principal axes of 1,000 images of Fashion-MNIST, noise and dropout for views,
40 epochs, a base chosen without labels (`studies/_settings.py`); losses and defaults are those of ProPos, since
PIPCDR's own text was not found. The local tier says what keeps a small network spread for 40 epochs.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_1000, PAPER_PIPCDR, PIPCDR_ON_AXES, SECONDS, quick, without

STUDY = Study(
    question="Which parts of PIPCDR keep representations spread?",
    paper="2311.00731",
    datasets=(CLOTHES_1000,),
    n_epochs=40,
    seeds=12,
    metric="feature_std",
    margin=0.01,
    beats_chance_by=0.3,
    design=one_factor(
        "pipcdr",
        {
            "parts": {
                "byol": {"terms": "byol"},
                "neighbours only": {"terms": "pip"},
                "dispersion only, over BYOL": {"terms": "cdr"},
                "dispersion loss alone": {"cdr_weight": 1.0},
                "faster target": {"ema": 0.9},
                "no warm-up": {"warmup_share": 0.0},
            }
        },
        base=PIPCDR_ON_AXES,
    ),
    tiers={
        "quick": quick("digits:subset=1000"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=1000,
            base={"pipcdr": without(PAPER_PIPCDR, "cdr_weight", "ema")},
            epoch_seconds={"pipcdr": SECONDS["pipcdr"]},
        ),
    },
)
