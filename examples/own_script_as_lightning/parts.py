"""Which parts of my script matter? The same script as a Lightning module, scored here."""

from module import Clusterer

from orchestrator.designs.leave_one_out import leave_one_out
from orchestrator.knobs import Choice
from orchestrator.own import lightning
from orchestrator.study import Study

PARTS = ("balance", "reconstruct", "noise")
MINE = lightning(Clusterer, knobs=dict.fromkeys(PARTS, Choice(True, False)), n_epochs=3)

STUDY = Study(
    question="Which parts of my script matter?",
    design=leave_one_out(MINE, PARTS),
    datasets=("digits",),
    seeds=8,
    margin=0.02,
)
