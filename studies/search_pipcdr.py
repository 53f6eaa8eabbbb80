"""Which sigma, k-means frequency, queue size and weight of dispersion suit PIPCDR?

Of the seven sensitive knobs: sigma, k-means frequency, queue size and lambda of PIPCDR. A search by an Optuna sampler
on seeds of the `search` block, by neighbour mutual information, which sees no labels; the importance of each knob
stands in the report, on one scale with the other two searches (`search_entropy`, `search_secu`, `search_pipcdr`). Its
choice is what `which_method_at_equal_tuning` starts from.

Paper 2311.00731 tunes them by hand. Exploratory: it chooses, it tests nothing. 64 principal axes of 1,000 images of
Fashion-MNIST, 40 epochs, other settings as in `studies/_settings.py`.
"""

from orchestrator.knobs import Float, Int
from orchestrator.study import Study
from studies._searches import AT_EQUAL_TUNING, at_equal_tuning, of_the_paper
from studies._settings import PAPER_PIPCDR, PIPCDR_ON_AXES

SEARCH = at_equal_tuning(
    "pipcdr",
    {
        "neighbour_noise": Float(0.01, 2.0, log=True),
        "kmeans_every": Int(1, 24, log=True),
        "queue_ratio": Int(1, 8, log=True),
        "cdr_weight": Float(0.0, 1.0),
    },
    PIPCDR_ON_AXES,
)

STUDY = Study(
    question="Which sigma, k-means frequency, queue size and weight of dispersion suit PIPCDR?",
    paper="2311.00731",
    design=SEARCH,
    tiers=of_the_paper(SEARCH, PAPER_PIPCDR, "cifar10", n_epochs=1000),
    **AT_EQUAL_TUNING,
)
