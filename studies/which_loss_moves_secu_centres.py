"""Which loss moves SeCu's centres?

Paper 2311.14310 (SeCu): the loss lets a centre be pulled by its own points only, and the author calls plain
cross-entropy unstable; the ablation itself was not found. Levels: cross-entropy, the pull alone, Theorem 1's closed
form after each epoch, the running mean of spherical k-means; and at a centre temperature of 0.05 (the paper's on
CIFAR-10) instead of 0.7, which weighs hard points more.

What differs from the paper: an MLP with batch norm on its output, one head, noise for views on 64 principal axes of
1,000 images of Fashion-MNIST, 40 epochs (`studies/_settings.py`). The local tier says which rules work and collapse in
a small network; rates of centres were chosen with SeCu's own loss.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_1000, PAPER_SECU, SECONDS, SECU_ON_AXES, quick, without

STUDY = Study(
    question="Which rule for the centres works, and is plain cross-entropy as unstable as SeCu says?",
    paper="2311.14310",
    datasets=(CLOTHES_1000,),
    n_epochs=40,
    seeds=16,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "secu",
        {
            "centres": {
                "cross-entropy": {"centre_form": "cross_entropy"},
                "pull alone": {"centre_form": "positives"},
                "closed form": {"centre_rule": "closed_form"},
                "running mean": {"centre_rule": "running_mean"},
                "stable, T 0.05": {"centre_temperature": 0.05},
                "cross-entropy, T 0.05": {"centre_form": "cross_entropy", "centre_temperature": 0.05},
                "pull alone, T 0.05": {"centre_form": "positives", "centre_temperature": 0.05},
            }
        },
        base=SECU_ON_AXES,
    ),
    tiers={
        "quick": quick("digits:subset=1000"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=401,
            protocol="split",
            base={"secu": without(PAPER_SECU, "centre_temperature")},
            epoch_seconds={"secu": SECONDS["secu"]},
        ),
    },
)
