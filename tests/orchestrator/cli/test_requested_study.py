"""The study that a command names: at its tier, with its settings, and checked."""

import pytest

from orchestrator.cli.options import PlanOptions, RunOptions
from orchestrator.cli.requested_study import requested_study
from orchestrator.errors import RequestError, UnknownNameError

TEXT = '''
"""Does the toy care?"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier

STUDY = Study(
    question="Does the toy care?",
    design=one_factor("kmeans", {"n_init": [10]}),
    datasets=("gaussians",),
    n_epochs=1,
    seeds=8,
    margin=0.02,
    tiers={"paper": Tier(datasets=("digits",), seeds=20)},
)
'''


@pytest.fixture
def path(tmp_path):
    """A study's own file."""
    (tmp_path / "own.py").write_text(TEXT)
    return str(tmp_path / "own.py")


@pytest.mark.parametrize("kind", [PlanOptions, RunOptions])
def test_a_file_gives_its_study(path, kind):
    study = requested_study(kind(study=path))
    assert (study.name, study.tier, study.datasets, study.seeds) == ("own", "local", ("gaussians",), 8)


def test_settings_go_on_top_of_the_tier(path):
    study = requested_study(RunOptions(study=path, tier="paper", settings=["seeds=9", "kmeans.n_init=3"]))
    assert (study.tier, study.datasets, study.seeds_by_hand) == ("paper", ("digits",), 9)
    assert study.design.base["n_init"] == 3


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"tier": "moon"}, UnknownNameError, "moon"),
        ({"settings": ["seeds"]}, RequestError, "seeds"),
        ({"settings": ["margin=wide"]}, RequestError, "wide"),
        ({"settings": ["seeds=0"]}, RequestError, "0"),
        ({"study": "no_such_study"}, RequestError, "no_such_study"),
    ],
)
def test_what_cannot_be_had_is_refused_with_its_value(path, changes, error, says):
    with pytest.raises(error, match=says):
        requested_study(RunOptions(**{"study": path, **changes}))
