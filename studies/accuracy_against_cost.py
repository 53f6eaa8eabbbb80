"""What does accuracy cost?

Across the papers (2303.16521, 2311.00731, 2301.11405, 2311.14310) accuracy is reported, what it took is not. Arms are
the methods at the settings of the other studies (`studies/_settings.py`), and dearer and cheaper forms of three: heads
of SeCu, width of hard regularisation, an MLP under entropy clustering. The report sets NMI against seconds a trial (one
thread, as a member of a bundle); the verdicts say which dearer form is better at all.

64 principal axes of 1,000 images of Fashion-MNIST, 40 epochs. Seconds were measured on a shared machine: their order is
worth something, their ratios little; what differs from the papers is what differs in the other studies.
"""

from orchestrator.designs.fixed import Fixed, fixed
from orchestrator.study import Study
from studies._settings import CLOTHES_1000, ENTROPY, HARD_ON_AXES, PIPCDR_ON_AXES, SECU_ON_AXES, quick

STUDY = Study(
    question="Which gains in NMI are worth their cost, over methods and their sizes?",
    datasets=(CLOTHES_1000,),
    n_epochs=40,
    seeds=34,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=Fixed("hard_regularization", HARD_ON_AXES),
    rivals=(
        fixed("kmeans"),
        Fixed("entropy", ENTROPY),
        Fixed("entropy", {**ENTROPY, "network": "mlp"}, "with an MLP"),
        Fixed("hard_regularization", {**HARD_ON_AXES, "width": 512}, "512 wide"),
        Fixed("secu", SECU_ON_AXES),
        Fixed("secu", {**SECU_ON_AXES, "heads": 3}, "with 3 heads"),
        Fixed("pipcdr", PIPCDR_ON_AXES),
    ),
    tiers={
        "quick": quick("digits:subset=1000"),
    },
)
