"""Which dual learning rate, lower bound and learning rate suit SeCu?

Of the seven sensitive knobs: the dual learning rate and the lower-bound ratio of SeCu, with the encoder's learning
rate. A search by an Optuna sampler on seeds of the `search` block, by neighbour mutual information, which sees no
labels; the importance of each knob stands in the report, on one scale with the other two searches (`search_entropy`,
`search_secu`, `search_pipcdr`). Its choice is what `which_method_at_equal_tuning` starts from.

Paper 2311.14310 tunes them by hand. Exploratory: it chooses, it tests nothing. 1,000 digits, 24 epochs, other settings
as in `studies/_settings.py`.
"""

from orchestrator.designs.search import search
from orchestrator.knobs import Float
from orchestrator.study import Study, Tier
from studies._settings import PAPER_SECU, SECONDS, SECU, without

SEARCH = search(
    "secu",
    {
        "dual_lr": Float(0.05, 10.0, log=True),
        "lower_bound": Float(0.0, 1.0),
        "lr": Float(0.02, 0.5, log=True),
    },
    n_configurations=24,
    n_seeds=2,
    round_size=8,
    base=without(SECU, "dual_lr", "lr"),
)

STUDY = Study(
    question="Which dual learning rate, lower bound and learning rate suit SeCu?",
    paper="2311.14310",
    datasets=("digits:subset=1000",),
    n_epochs=24,
    metric="nmi",
    exploratory=True,
    design=SEARCH,
    tiers={
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=401,
            base={"secu": without(PAPER_SECU, "dual_lr", "lr")},
            epoch_seconds={"secu": SECONDS["secu"]},
        )
    },
)
