"""Which lambda, gamma and learning rate suit entropy clustering?

Of the seven sensitive knobs: lambda and gamma of entropy clustering, with the learning rate. A search by an Optuna
sampler on seeds of the `search` block, by neighbour mutual information, which sees no labels; the importance of each
knob stands in the report, on one scale with the other two searches (`search_entropy`, `search_secu`, `search_pipcdr`).
Its choice is what `which_method_at_equal_tuning` starts from.

Paper 2301.11405 tunes them by hand. Exploratory: it chooses, it tests nothing. 64 principal axes of 1,000 images of
Fashion-MNIST, 40 epochs, other settings as in `studies/_settings.py`.
"""

from orchestrator.knobs import Float
from orchestrator.study import Study
from studies._searches import AT_EQUAL_TUNING, at_equal_tuning, of_the_paper
from studies._settings import ENTROPY, PAPER_ENTROPY

SEARCH = at_equal_tuning(
    "entropy",
    {
        "fairness_weight": Float(1.0, 1000.0, log=True),
        "norm_weight": Float(1e-5, 3e-2, log=True),
        "lr": Float(0.1, 10.0, log=True),
    },
    ENTROPY,
)

STUDY = Study(
    question="Which lambda, gamma and learning rate suit entropy clustering?",
    paper="2301.11405",
    design=SEARCH,
    tiers=of_the_paper(SEARCH, PAPER_ENTROPY, "mnist", n_epochs=50),
    **AT_EQUAL_TUNING,
)
