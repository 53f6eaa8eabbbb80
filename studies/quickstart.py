"""Which parts of entropy clustering matter on real images?

Paper 2301.11405 (discriminative entropy clustering): a linear softmax head, pseudo-labels that solve eqs. (45)-(46),
reverse cross-entropy, strong fairness KL(u || mean pseudo-label), a norm term without bias: loss (42). The paper argues
for each of them; this study takes them away one at a time, and puts k-means (scikit-learn, 10 restarts) beside.

lambda (fairness_weight), gamma (norm_weight) and the learning rate are searched first, on seeds of the `search` block,
by neighbour mutual information: a rule that sees no labels. (A loss would be no rule: it contains lambda and gamma.)
The ablation then runs around the choice, on seeds of the `confirm` block that nobody has looked at.

What differs from the paper: raw pixels instead of features of a ResNet-50, so the answer is about this loss on grey
digits, at no more than 20 epochs.
"""

from orchestrator.designs.around import around
from orchestrator.designs.fixed import fixed
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.knobs import Float
from orchestrator.study import Study, Tier

STUDY = Study(
    question="Which parts of entropy clustering matter on images of digits, and does it beat k-means?",
    paper="2301.11405",
    datasets=("mnist_5k", "digits"),
    n_epochs=20,
    seeds=12,
    metric="nmi",
    margin=0.02,
    design=around(
        search(
            "entropy",
            {
                "fairness_weight": Float(1.0, 1000.0, log=True),
                "norm_weight": Float(1e-5, 0.1, log=True),
                "lr": Float(0.01, 5.0, log=True),
            },
            n_configurations=48,
            n_seeds=3,
            rule="neighbour_mi",
        ),
        one_factor(
            "entropy",
            {
                "loss": ["forward"],
                "fairness": ["none"],
                "norm_weight": [0.0],
                "update": ["epoch"],
            },
        ),
    ),
    rivals=(fixed("kmeans"),),
    tiers={"quick": Tier(datasets=("digits", "mnist_5k:subset=2000"), seeds=3, exploratory=True)},
)
