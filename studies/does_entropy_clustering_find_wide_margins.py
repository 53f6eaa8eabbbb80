"""Does entropy clustering find wide margins, and k-means not?

Paper 2301.11405 (entropy clustering), Figs. 1, 3, 4 and 8 and next check 3 of its summary: the norm term gamma ||v||^2
turns decision boundaries towards the widest margin between fair clusters, as gamma goes to 0; k-means cuts across long
clusters, so the two losses are not equivalent. A toy in the plane, whose classes are the fair clusters of widest
margin; NMI with the classes says whether the wide margin was found. Baseline gamma 0.001; levels 0, 1e-5, 0.01 and 0.1;
k-means. Two more toys (`two_margins`, `parallel_gaussians`) were tried: from random weights the baseline ends in
another local optimum there (median NMI 0.0 and 0.6 on 32 seeds), so that nothing can be compared.

What differs from the paper: its points are not published, these are drawn after its figures; training starts from
random weights, so a trial may also end in another local optimum. Learning rate 5, all points in a batch, 150 epochs:
chosen on search seeds by neighbour mutual information. The local tier is the paper's own here, since these figures are
toys there too; boundaries are drawn from the rows by the report's diagnostics.
"""

from orchestrator.designs.fixed import fixed
from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study
from studies._settings import quick

STUDY = Study(
    question="Does entropy clustering find the widest margin, at which norm weight, and does k-means?",
    paper="2301.11405",
    datasets=("three_sides",),
    n_epochs=150,
    seeds=32,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.2,
    design=one_factor(
        "entropy",
        {"norm_weight": [0.0, 1e-5, 0.01, 0.1]},
        base={"norm_weight": 1e-3, "lr": 5.0, "batch_size": 200},
    ),
    rivals=(fixed("kmeans"),),
    tiers={
        "quick": quick("three_sides"),
    },
)
