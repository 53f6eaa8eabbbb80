"""Which lambda, gamma and learning rate suit entropy clustering?

Of the seven sensitive knobs: lambda and gamma of entropy clustering, with the learning rate. A search by an Optuna
sampler on seeds of the `search` block, by neighbour mutual information, which sees no labels; the importance of each
knob stands in the report, on one scale with the other two searches (`search_entropy`, `search_secu`, `search_pipcdr`).
Its choice is what `which_method_at_equal_tuning` starts from.

Paper 2301.11405 tunes them by hand. Exploratory: it chooses, it tests nothing. 1,000 digits, 24 epochs, other settings
as in `studies/_settings.py`.
"""

from orchestrator.designs.search import search
from orchestrator.knobs import Float
from orchestrator.study import Study, Tier
from studies._settings import ENTROPY, PAPER_ENTROPY, SECONDS, without

SEARCH = search(
    "entropy",
    {
        "fairness_weight": Float(1.0, 1000.0, log=True),
        "norm_weight": Float(1e-5, 3e-2, log=True),
        "lr": Float(0.1, 10.0, log=True),
    },
    n_configurations=24,
    n_seeds=2,
    round_size=8,
    base=without(ENTROPY, "lr"),
)

STUDY = Study(
    question="Which lambda, gamma and learning rate suit entropy clustering?",
    paper="2301.11405",
    datasets=("digits:subset=1000",),
    n_epochs=24,
    metric="nmi",
    exploratory=True,
    design=SEARCH,
    tiers={
        "paper": Tier(
            datasets=("mnist",),
            n_epochs=50,
            base={"entropy": without(PAPER_ENTROPY, "lr")},
            epoch_seconds={"entropy": SECONDS["entropy"]},
        )
    },
)
