"""What does accuracy cost?

Across the papers (2303.16521, 2311.00731, 2301.11405, 2311.14310) accuracy is reported, what it took is not. Arms are
the methods at the settings of the other studies (`studies/_settings.py`), and dearer and cheaper forms of three: heads
of SeCu, width of hard regularisation, an MLP under entropy clustering. The report sets NMI against seconds a trial (one
thread, as a member of a bundle); the verdicts say which dearer form is better at all.

1,000 digits, 24 epochs. Seconds were measured on a shared machine: their order is worth something, their ratios little;
what differs from the papers is what differs in the other studies.
"""

from orchestrator.designs.fixed import Fixed, fixed
from orchestrator.study import Study
from studies._settings import ENTROPY, HARD, PIPCDR, SECU

STUDY = Study(
    question="Which gains in NMI are worth their cost, over methods and their sizes?",
    datasets=("digits:subset=1000",),
    n_epochs=24,
    seeds=12,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=Fixed("hard_regularization", HARD),
    rivals=(
        fixed("kmeans"),
        Fixed("entropy", ENTROPY),
        Fixed("entropy", {**ENTROPY, "network": "mlp"}, "with an MLP"),
        Fixed("hard_regularization", {**HARD, "width": 512}, "512 wide"),
        Fixed("secu", SECU),
        Fixed("secu", {**SECU, "heads": 3}, "with 3 heads"),
        Fixed("pipcdr", PIPCDR),
    ),
)
