"""Do restarts of k-means help on images of digits? An example of a study: everything it asks for stands here.

`n_init` is varied one factor at a time around a single restart. Twelve seeds are paired: each arm sees the same ones.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study

STUDY = Study(
    question="Do restarts of k-means help on images of digits?",
    design=one_factor("kmeans", {"n_init": [3, 10]}, base={"n_init": 1}),
    datasets=("digits:subset=500",),
    seeds=12,
    n_epochs=1,
    margin=0.03,
)
