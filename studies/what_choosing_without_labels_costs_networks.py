"""What does choosing without labels cost when representations are learned?

Over methods: papers tune knobs and often choose epochs by accuracy, which in clustering nobody has. Here one set of
configurations (of hard regularisation, 2303.16521: variance, weight of the price, learning rate, strength of the views,
a quasi-random sample) is trained once on search seeds, and each rule chooses from it: neighbour mutual information (the
default here), silhouette, preservation of neighbours, and the oracle, which reads labels. What each chose is then
trained on confirm seeds, so that the difference to the oracle is not itself optimistic.

An MLP on 64 principal axes of 2,000 images of Fashion-MNIST, 32 epochs. Neighbours are those of the input space also
where the method learns features of its own; the local tier can say whether that misleads the rules here.
"""

from orchestrator.designs.around import Around, around
from orchestrator.designs.fixed import Fixed
from orchestrator.designs.search import search
from orchestrator.knobs import Float
from orchestrator.study import Study
from studies._settings import CLOTHES, HARD_ON_AXES, quick, without

KNOBS = {
    "variance": Float(10.0, 1000.0, log=True),
    "penalty": Float(0.25, 4.0),
    "lr": Float(3e-4, 1e-2, log=True),
    "view_strength": Float(0.0, 2.0),
}


def chosen_by(rule: str) -> Around:
    """Return the configuration that a rule chooses; configurations are the same for every rule."""
    base = without(HARD_ON_AXES, "lr", "view_strength")
    return around(
        search(
            "hard_regularization",
            KNOBS,
            n_configurations=24,
            n_seeds=2,
            round_size=24,
            sampler="qmc",
            rule=rule,
            base=without(HARD_ON_AXES, "lr", "view_strength"),
        ),
        Fixed("hard_regularization", base, f"by {rule}"),
    )


STUDY = Study(
    question="What does choosing without labels cost when representations are learned?",
    datasets=(CLOTHES,),
    n_epochs=32,
    seeds=24,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=chosen_by("neighbour_mi"),
    rivals=(chosen_by("oracle_nmi"), chosen_by("silhouette"), chosen_by("preservation")),
    tiers={
        "quick": quick("digits"),
    },
)
