"""What does choosing without labels cost?

Over methods: papers tune knobs and often choose epochs by accuracy, which in clustering nobody has. Here one set of
configurations (of entropy clustering, 2301.11405: lambda, gamma and the learning rate, a quasi-random sample) is
trained once on search seeds, and each rule chooses from it: neighbour mutual information (the default here),
silhouette, preservation of neighbours, and the oracle, which reads labels. What each chose is then trained on confirm
seeds, so that the difference to the oracle is not itself optimistic.

A linear head, 50 epochs; 2,000 images of Fashion-MNIST (64 principal axes), the same with classes of 1 : 10, 2,000
windows of activity. The local tier measures the price of each rule for this method on fixed features;
`what_choosing_without_labels_costs_networks` asks it of a learned representation, where neighbours in input space may
mislead.
"""

from orchestrator.designs.around import Around, around
from orchestrator.designs.fixed import fixed
from orchestrator.designs.search import search
from orchestrator.knobs import Float
from orchestrator.study import Study
from studies._settings import ACTIVITY, CLOTHES, CLOTHES_IMBALANCED, quick

KNOBS = {
    "fairness_weight": Float(1.0, 1000.0, log=True),
    "norm_weight": Float(1e-5, 3e-2, log=True),
    "lr": Float(0.1, 10.0, log=True),
}


def chosen_by(rule: str) -> Around:
    """Return the configuration that a rule chooses; configurations are the same for every rule."""
    return around(
        search("entropy", KNOBS, n_configurations=24, n_seeds=2, round_size=24, sampler="qmc", rule=rule),
        fixed("entropy", f"by {rule}"),
    )


STUDY = Study(
    question="What does choosing a configuration without labels cost, rule by rule?",
    datasets=(CLOTHES, ACTIVITY, CLOTHES_IMBALANCED),
    n_epochs=50,
    seeds=26,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=chosen_by("neighbour_mi"),
    rivals=(chosen_by("oracle_nmi"), chosen_by("silhouette"), chosen_by("preservation")),
    tiers={
        "quick": quick("digits", "mnist_5k:subset=1000", "digits:imbalance=3"),
    },
)
