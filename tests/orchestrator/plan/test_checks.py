"""What a plan refuses of a method that brings its own data, before a trial of it is trained."""

from __future__ import annotations

import pytest

from orchestrator.designs.around import around
from orchestrator.designs.leave_one_out import leave_one_out
from orchestrator.designs.search import search
from orchestrator.errors import RequestError
from orchestrator.knobs import Choice, Float
from orchestrator.own import command
from orchestrator.own.declared import loading
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.checks import check_searches, check_study
from orchestrator.study import Study

SCRIPT = """
p.add_argument("--lr", type=float, default=0.1)
p.add_argument("--noise", action="store_true")
p.add_argument("--seed", type=int)
"""


@pytest.fixture
def check(tmp_path):
    """Check a study whose search tunes a script by the options given."""
    (tmp_path / "train.py").write_text(SCRIPT)

    def check(line, declares=(), **options):
        with loading(tmp_path / "study.py"):
            knobs = {"lr": Float(0.0, 1.0), "noise": Choice(False, True)}
            mine = command(line, knobs=knobs, metrics={name: {} for name in declares})
        design = around(search(mine, ("lr",), n_configurations=2, **options), leave_one_out(mine, ["noise"]))
        datasets = {"datasets": ("digits",)} if "{data}" in line else {}
        check_study(Study(name="mine", question="Which?", design=design, margin=0.02, **datasets), Catalogue())

    return check


def test_a_search_by_what_nobody_computes_is_refused_before_anything_is_trained(check):
    with pytest.raises(
        RequestError, match=r"nobody computes neighbour_mi.*say rule='oracle_nmi'.*direction='minimize'"
    ):
        check("python train.py")


@pytest.mark.parametrize(
    ("line", "declares", "options"),
    [
        ("python train.py", (), {"rule": "oracle_nmi"}),
        ("python train.py", (), {"rule": "loss", "direction": "minimize"}),
        ("python train.py", ("neighbour_mi",), {}),
        ("python train.py {data}", (), {}),
    ],
)
def test_a_search_by_what_is_reported_or_computed_is_none_of_these(check, line, declares, options):
    check(line, declares, **options)


def test_a_pruner_that_goes_by_what_is_known_at_the_end_only_is_refused():
    def checked(**options):
        design = search("kmeans", ("n_init",), n_configurations=2, **options)
        check_searches(
            Study(name="mine", question="Which?", design=design, datasets=("digits",), exploratory=True), Catalogue()
        )

    checked(pruner="median")
    checked(rule="silhouette")
    checked(rule=("neighbour_mi", "silhouette"), pruner="median")
    with pytest.raises(RequestError, match=r"'median' looks at 'silhouette'.*at the last epoch only; allowed"):
        checked(rule="silhouette", pruner="median")
