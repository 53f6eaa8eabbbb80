from __future__ import annotations

import pytest

import orchestrator as dco
from orchestrator.designs.one_factor import one_factor


@pytest.fixture(scope="session")
def question():
    """Return a function that makes a small study, with fields of its own."""

    def made(**changes):
        fields = {"datasets": ("digits:subset=200",), "seeds": 8, "n_epochs": 1, "margin": 0.05, **changes}
        design = one_factor("kmeans", {"n_init": [4]}, base={"n_init": 1})
        return dco.Study(question="Do more restarts of k-means help?", design=design, **fields)

    return made


@pytest.fixture(scope="session")
def answer(tmp_path_factory, question):
    """Return the answer of the small study, the steps that were told and the results folder."""
    steps = []
    folder = tmp_path_factory.mktemp("api") / "results"
    found = dco.run_study(question(), folder, name="restarts", progress=steps.append)
    return found, steps, folder
