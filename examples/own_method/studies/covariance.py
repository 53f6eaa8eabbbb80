"""Which covariance does a Gaussian mixture need on images of digits, and does it beat k-means?"""

from orchestrator.designs.fixed import fixed
from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study

STUDY = Study(
    question="Which covariance does a Gaussian mixture need on images of digits?",
    design=one_factor("gaussian_mixture", {"covariance": ["spherical", "tied"]}, base={"floor": 0.01}),
    rivals=(fixed("kmeans"),),
    datasets=("digits:subset=500",),
    seeds=12,
    n_epochs=1,
    margin=0.03,
)
