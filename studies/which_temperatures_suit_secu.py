"""Which temperatures suit SeCu?

Paper 2311.14310 (SeCu) sharpens both losses by a temperature: 0.05 on CIFAR-10, 1 for the centres on STL-10; its
ablation was not found. Levels: half and twice the temperature of the encoder's loss, a tenth, half and one and a half
times that of the centres'.

What differs from the paper: an MLP with batch norm on its output, noise for views on 64 principal axes of 1,000 images
of Fashion-MNIST, 40 epochs (`studies/_settings.py`). Temperatures of the baseline were chosen without labels at that
setting, so that the question is how far one may be off.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_1000, PAPER_SECU, SECONDS, SECU_ON_AXES, SECU_TEMPERATURE, quick, without

STUDY = Study(
    question="How far may the temperatures of the two losses of SeCu be off?",
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
            "temperature": [SECU_TEMPERATURE / 2, SECU_TEMPERATURE * 2],
            "centre_temperature": [0.07, 0.35, 1.0],
        },
        base=SECU_ON_AXES,
    ),
    tiers={
        "quick": quick("digits:subset=1000"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=401,
            protocol="split",
            base={"secu": without(PAPER_SECU, "temperature", "centre_temperature")},
            epoch_seconds={"secu": SECONDS["secu"]},
        ),
    },
)
