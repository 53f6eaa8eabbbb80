"""Does a Lightning module need its balance term?"""

from module import Clusterer

from orchestrator.designs.leave_one_out import leave_one_out
from orchestrator.knobs import Choice, Float
from orchestrator.own import lightning
from orchestrator.study import Study

MINE = lightning(Clusterer, knobs={"lr": Float(1e-4, 1, log=True), "balance": Choice(True, False)}, n_epochs=5)

STUDY = Study(
    question="Does a linear clusterer need its balance term?",
    design=leave_one_out(MINE, ["balance"]),
    datasets=("digits:subset=300",),
    seeds=8,
    margin=0.02,
)
