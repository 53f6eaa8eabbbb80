"""Which dual learning rate, lower bound and learning rate suit SeCu?

Of the seven sensitive knobs: the dual learning rate and the lower-bound ratio of SeCu, with the encoder's learning
rate. A search by an Optuna sampler on seeds of the `search` block, by neighbour mutual information, which sees no
labels; the importance of each knob stands in the report, on one scale with the other two searches (`search_entropy`,
`search_secu`, `search_pipcdr`). Its choice is what `which_method_at_equal_tuning` starts from.

Paper 2311.14310 tunes them by hand. Exploratory: it chooses, it tests nothing. 64 principal axes of 1,000 images of
Fashion-MNIST, 40 epochs, other settings as in `studies/_settings.py`.
"""

from orchestrator.knobs import Float
from orchestrator.study import Study
from studies._searches import AT_EQUAL_TUNING, at_equal_tuning, of_the_paper
from studies._settings import PAPER_SECU, SECU_ON_AXES

SEARCH = at_equal_tuning(
    "secu",
    {
        "dual_lr": Float(0.05, 10.0, log=True),
        "lower_bound": Float(0.0, 1.0),
        "lr": Float(0.02, 0.5, log=True),
    },
    SECU_ON_AXES,
)

STUDY = Study(
    question="Which dual learning rate, lower bound and learning rate suit SeCu?",
    paper="2311.14310",
    design=SEARCH,
    tiers=of_the_paper(SEARCH, PAPER_SECU, "cifar10", n_epochs=401, protocol="split"),
    **AT_EQUAL_TUNING,
)
