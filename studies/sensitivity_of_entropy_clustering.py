"""Which knobs of entropy clustering matter most?

Paper 2301.11405 (entropy clustering), next check 2 of its summary: sensitivity to learning rate, batch size and
regularisation. Sobol indices over the learning rate, the batch size, lambda and gamma, on logarithmic scales: what
share of the variance of NMI each one explains, alone and with the others.

Exploratory: it describes, it tests nothing. What differs from the paper: a linear head on 64 principal axes of 2,000
Fashion-MNIST images instead of features of a ResNet-50 on whole sets, learning rate 5 and 80 epochs so that training
comes to rest (`studies/_settings.py`). Eight seeds a point: with three nobody could tell a point whose training still
moves from one whose seeds go up and down.
"""

from orchestrator.designs.sobol import sobol
from orchestrator.knobs import Float, Int
from orchestrator.study import Study
from studies._settings import CLOTHES, quick

STUDY = Study(
    question="Which of learning rate, batch size, lambda and gamma does entropy clustering answer to most?",
    paper="2301.11405",
    datasets=(CLOTHES,),
    n_epochs=80,
    seeds=8,
    metric="nmi",
    exploratory=True,
    design=sobol(
        "entropy",
        {
            "lr": Float(0.3, 10.0, log=True),
            "batch_size": Int(60, 900, log=True),
            "fairness_weight": Float(10.0, 1000.0, log=True),
            "norm_weight": Float(1e-5, 3e-2, log=True),
        },
        n_base=16,
    ),
    tiers={
        "quick": quick("digits"),
    },
)
