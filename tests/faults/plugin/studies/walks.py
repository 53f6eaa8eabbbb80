"""Does a longer step matter? A search and an ablation that are over in seconds, for the tests that kill them."""

from orchestrator.designs.around import around
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.knobs import Float
from orchestrator.study import Study

STUDY = Study(
    question="Does a longer step matter?",
    datasets=("dots",),
    n_epochs=6,
    seeds=8,
    metric="nmi",
    margin=0.02,
    failure_budget=1.0,
    design=around(
        search("walk", {"step": Float(0.01, 1.0, log=True)}, n_configurations=8, n_seeds=2, round_size=4),
        one_factor("walk", {"step": [2.0, 5.0], "fragile": ["some"]}),
    ),
)
