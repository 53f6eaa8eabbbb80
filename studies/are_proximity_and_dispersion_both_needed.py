"""Are sampled neighbours and cluster dispersion both needed?

Paper 2311.00731 (PIPCDR), next check 3 of its summary: the gains of its two parts and of their interaction, each over
plain BYOL (neither). A 2 x 2 factorial: main effects and the interaction, which is half the difference between what one
part adds with and without the other.

What differs from the paper: an MLP on 64 principal axes of 1,000 images of Fashion-MNIST, noise and dropout for views,
40 epochs, a base chosen without labels (`studies/_settings.py`); losses and defaults are those of ProPos, since
PIPCDR's own text was not found. The paper's case is fine-grained dogs; ten kinds of clothes say only what the parts do
where clusters are coarse.
"""

from orchestrator.designs.factorial import factorial
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_1000, PAPER_PIPCDR, PIPCDR_ON_AXES, SECONDS, quick, without

STUDY = Study(
    question="What do sampled neighbours and cluster dispersion each add to BYOL, and do they need each other?",
    paper="2311.00731",
    datasets=(CLOTHES_1000,),
    n_epochs=40,
    seeds=12,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=factorial(
        "pipcdr",
        {
            "neighbours": {"off": {"neighbour_noise": 0.0}, "on": {"neighbour_noise": 0.1}},
            "dispersion": {"off": {"cdr_weight": 0.0}, "on": {"cdr_weight": 0.3}},
        },
        base=without(PIPCDR_ON_AXES, "neighbour_noise", "cdr_weight"),
    ),
    tiers={
        "quick": quick("digits:subset=1000"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=1000,
            base={"pipcdr": without(PAPER_PIPCDR, "neighbour_noise", "cdr_weight") | {"noise_units": "relative"}},
            epoch_seconds={"pipcdr": SECONDS["pipcdr"]},
        ),
    },
)
