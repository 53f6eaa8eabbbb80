"""Which parts of my script matter? The same script as a function, which a worker calls: no process a trial."""

from train import train

from orchestrator.designs.leave_one_out import leave_one_out
from orchestrator.study import Study

STUDY = Study(
    question="Which parts of my script matter?",
    design=leave_one_out(train, ["balance", "reconstruct", "noise"]),
    n_epochs=5,
    seeds=8,
    margin=0.02,
)
