"""What if classes come one after another, and nobody knows how many?

Paper 2303.16521 (hard regularisation), open question 2: the number of clusters is always that of the classes, and the
authors ask about streams in which it is unknown or changes. Here points come in five phases, each seen in its phase
only: two classes after two others (`stream=class:5`), or all classes mixed in as large phases (`stream=iid:5`).
The baseline is `hard_stream`: labels of a batch under the paper's price, clusters born at points far from all others,
put to sleep when they win few points, and forgotten when they never win any. Levels: no births and a fixed number of
clusters, as many as classes and twice as many; births sooner or later; nobody sleeps; no price; and features that are
learned meanwhile. Adjusted mutual information over all that has come, sleeping clusters included, since numbers of
clusters differ.

What differs from the paper: all of the stream and its clusters (ours), pixels as features but for one level, four
epochs a phase. Exploratory: rates and factors were chosen on these digits. The local tier says whether clusters that
come and go lose less than a fixed number when classes do.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.knobs import Value
from orchestrator.study import Study
from studies._settings import quick

FIXED: dict[str, Value] = {"birth_factor": 0.0, "least_share": 0.0}
LEARNED: dict[str, Value] = {"features": "learned", "encoder_width": 128, "view": "affine", "start_clusters": 10}

STUDY = Study(
    question="Do clusters that are born and put to sleep follow classes that come one after another?",
    paper="2303.16521",
    datasets=("digits:stream=class:5", "digits:stream=iid:5", "mnist_5k:subset=2000,stream=class:5"),
    n_epochs=20,
    seeds=10,
    metric="ami",
    exploratory=True,
    beats_chance_by=0.2,
    design=one_factor(
        "hard_stream",
        {
            "clusters": {
                "fixed, as many as classes": {**FIXED, "start_clusters": 10},
                "fixed, twice as many": {**FIXED, "start_clusters": 20},
                "births sooner": {"birth_factor": 1.3},
                "births later": {"birth_factor": 1.8},
                "nobody sleeps": {"least_share": 0.0},
                "no price": {"penalty": 0.0},
                "learned features": LEARNED,
            }
        },
        base={"batch_size": 64},
    ),
    tiers={
        "quick": quick("digits:stream=class:5", "digits:stream=iid:5", "mnist_5k:subset=1000,stream=class:5"),
    },
)
