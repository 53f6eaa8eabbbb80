"""Does any step matter? Shares trials with `strides`."""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study

STUDY = Study(
    question="Does any step matter?",
    datasets=("dots",),
    n_epochs=6,
    seeds=8,
    metric="nmi",
    margin=0.02,
    failure_budget=1.0,
    design=one_factor("walk", {"step": [5.0, 0.5]}),
)
