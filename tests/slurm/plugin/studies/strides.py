"""Do long steps matter? It shares its baseline and one level with `walks`'s method, for a job array of two studies."""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study

STUDY = Study(
    question="Do long steps matter?",
    datasets=("dots",),
    n_epochs=6,
    seeds=8,
    metric="nmi",
    margin=0.02,
    failure_budget=1.0,
    design=one_factor("walk", {"step": [2.0, 5.0]}),
)
