"""Which parts of my script matter, once its learning rate and alpha are set well?"""

from orchestrator.designs.around import around
from orchestrator.designs.leave_one_out import leave_one_out
from orchestrator.designs.search import search
from orchestrator.knobs import Choice, Float
from orchestrator.own import command
from orchestrator.study import Study

PARTS = ("balance", "reconstruct", "noise")
KNOBS = {"lr": Float(1e-4, 1e-2, log=True), "alpha": Float(0.1, 10, log=True)}
MINE = command(
    "python train.py --epochs {n_epochs}", knobs={**dict.fromkeys(PARTS, Choice(True, False)), **KNOBS}, n_epochs=5
)

STUDY = Study(
    question="Which parts of my script matter?",
    design=around(search(MINE, KNOBS, n_configurations=4, n_seeds=2, rule="oracle_nmi"), leave_one_out(MINE, PARTS)),
    margin=0.02,
)
