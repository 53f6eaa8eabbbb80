"""Which method clusters best at equal tuning?

Head to head over the four papers (2303.16521, 2311.00731, 2301.11405, 2311.14310) and their rivals: none of them tunes
its rivals as it tunes itself. Every trained method gets 24 configurations on 2 search seeds over three or four of its
knobs (four for PIPCDR), chosen by neighbour mutual information, then 20 confirm seeds that nobody looked at. Baseline:
k-means.

What differs from the papers: 64 principal axes of 1,000 images of Fashion-MNIST, 40 epochs; SeCu, PIPCDR and hard
regularisation have an MLP and noise for views, entropy clustering and its rivals (MIGD, SeLa, MIADM) a linear head as
in that paper's Table 3: differences between these two groups are differences of networks and views too. The local tier
ranks them on ten kinds of clothes at minutes of tuning, and claims nothing about ResNets.
"""

from orchestrator.designs.around import Around, around
from orchestrator.designs.fixed import Fixed, fixed
from orchestrator.designs.search import search
from orchestrator.knobs import Float
from orchestrator.study import Study
from studies import search_entropy, search_pipcdr, search_secu
from studies._settings import CLOTHES_1000, HARD_ON_AXES, PIPCDR_ON_AXES, SECU_ON_AXES, quick, without

HARD_BASE = without(HARD_ON_AXES, "lr")

SEARCH_HARD = search(
    "hard_regularization",
    {
        "variance": Float(10.0, 1000.0, log=True),
        "penalty": Float(0.25, 4.0),
        "lr": Float(3e-4, 1e-2, log=True),
    },
    n_configurations=24,
    n_seeds=2,
    round_size=8,
    base=HARD_BASE,
)


def linear(method: str, knob: str, domain: Float) -> Around:
    """Return a rival with a linear head at the same tuning budget: its own knob, gamma and the learning rate."""
    over = {knob: domain, "norm_weight": Float(1e-5, 3e-2, log=True), "lr": Float(0.1, 10.0, log=True)}
    return around(search(method, over, n_configurations=24, n_seeds=2, round_size=8), fixed(method))


STUDY = Study(
    question="Which of the four methods and their rivals clusters best at an equal tuning budget?",
    datasets=(CLOTHES_1000,),
    n_epochs=40,
    seeds=20,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=fixed("kmeans"),
    rivals=(
        around(search_entropy.SEARCH, fixed("entropy")),
        around(SEARCH_HARD, Fixed("hard_regularization", HARD_BASE)),
        around(search_secu.SEARCH, Fixed("secu", without(SECU_ON_AXES, *search_secu.SEARCH.over))),
        around(search_pipcdr.SEARCH, Fixed("pipcdr", without(PIPCDR_ON_AXES, *search_pipcdr.SEARCH.over))),
        linear("mi_gradient_descent", "fairness_weight", Float(0.1, 100.0, log=True)),
        linear("sela", "sharpness", Float(1.0, 300.0, log=True)),
    ),
    tiers={
        "quick": quick("digits:subset=1000"),
    },
)
