"""Must pseudo-labels be solved exactly?

Paper 2301.11405 (entropy clustering), open question 3 of its summary: EM against other solvers of the same pseudo-
labels, in speed and in final quality. The problem is strictly convex, so EM, Newton and mirror descent run to the end
give the same labels: which one is fastest is a benchmark, not a study (`analysis/benchmarks/assignment.json`). What may
differ in quality is where one stops: EM stops after 15 iterations here. Levels: EM with 1, 2, 5, 100 and 1,000
iterations (the last two to a relative decrease of 1e-10), EM from the labels that points had before, mirror descent
with as many steps as EM, Newton to a gap of 1e-6, and the standard term KL(ybar || u), which only Newton solves.

What differs from the paper: a linear head on 64 principal axes of 2,000 Fashion-MNIST images instead of features of a
ResNet-50 on whole sets, learning rate 5 and 50 epochs so that training comes to rest (`studies/_settings.py`). The
local tier says how exactly labels must be solved at batches of 250 and ten classes.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES, ENTROPY, PAPER_ENTROPY, SECONDS, quick

STUDY = Study(
    question="Does solving pseudo-labels more exactly, or by another solver, change the clusters?",
    paper="2301.11405",
    datasets=(CLOTHES,),
    n_epochs=50,
    seeds=26,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "entropy",
        {
            "solver": {
                "EM, 1 iteration": {"solver_iterations": 1},
                "EM, 2 iterations": {"solver_iterations": 2},
                "EM, 5 iterations": {"solver_iterations": 5},
                "EM, 100 iterations": {"solver_iterations": 100, "solver_tolerance": 1e-10},
                "EM, 1000 iterations": {"solver_iterations": 1000, "solver_tolerance": 1e-10},
                "EM from earlier labels": {"label_start": "previous"},
                "mirror descent, 15 steps": {"solver": "mirror_descent"},
                "Newton": {"solver": "newton"},
                "Newton on the standard term": {"fairness": "kl_y_u"},
            }
        },
        base=ENTROPY,
    ),
    tiers={
        "quick": quick("digits"),
        "paper": Tier(
            datasets=("mnist",),
            n_epochs=50,
            base={"entropy": PAPER_ENTROPY},
            epoch_seconds={"entropy": SECONDS["entropy"]},
        ),
    },
)
