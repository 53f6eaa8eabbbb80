"""A tier changes data, network and budget, never the question; its record and its price are its own."""

from dataclasses import replace

import pytest

from orchestrator.cli import plan_view
from orchestrator.designs.around import around
from orchestrator.designs.fixed import fixed
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.executors.inline import InlineExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study, Tier, check, key_of
from orchestrator.study.tiers import in_tier

PAPER = Tier(
    datasets=("far_away",),
    n_epochs=400,
    search_epochs=40,
    base={"secu": {"network": "resnet18", "heads": 10}, "kmeans": {"n_init": 20}},
    epoch_seconds={"secu": 9.0, "kmeans": 60.0},
)
STUDY = Study(
    question="does the constraint matter?",
    datasets=("gaussians",),
    n_epochs=3,
    seeds=8,
    name="constraints",
    margin=0.02,
    design=around(
        search("secu", ("dual_lr",), n_configurations=4, n_seeds=2, base={"network": "mlp"}, n_epochs=2),
        one_factor("secu", {"constraint": ["none"]}, base={"network": "mlp", "heads": 1}),
    ),
    rivals=(fixed("kmeans"), fixed("secu", "few", constraint="entropy", heads=1, network="mlp")),
    tiers={"paper": PAPER},
)


def far_away(folder):
    (folder / "datasets").mkdir(parents=True)
    text = (
        "from orchestrator.errors import DataError\n\n\ndef load():\n    raise DataError('bring it: fetch far_away')\n"
    )
    (folder / "datasets" / "far_away.py").write_text(text)
    return (str(folder),)


def test_every_design_and_rival_gets_the_base_of_its_method():
    moved = in_tier(STUDY, "paper")
    assert (moved.datasets, moved.n_epochs, moved.seeds, moved.tier) == (("far_away",), 400, 8, "paper")
    assert moved.design.first.base == {"network": "resnet18", "heads": 10}
    assert moved.design.first.n_epochs == 40
    assert moved.design.then.base == {"network": "resnet18", "heads": 10}
    assert moved.rivals[0].values == {"n_init": 20}
    assert moved.rivals[1].values == {"constraint": "entropy", "network": "resnet18", "heads": 10}


def test_question_levels_test_and_seeds_stay():
    moved = in_tier(STUDY, "paper")
    for name in ("question", "alpha", "margin", "metric", "protocol", "seeds", "failure_budget", "knobs", "methods"):
        assert getattr(moved, name) == getattr(STUDY, name)
    assert moved.design.then.factors == STUDY.design.then.factors
    assert in_tier(STUDY, "local") is STUDY
    assert in_tier(replace(STUDY, tiers={"paper": replace(PAPER, seeds=20)}), "paper").seeds == 20


def test_a_tier_may_say_which_points_are_fitted_and_scored_there():
    moved = in_tier(replace(STUDY, tiers={"paper": replace(PAPER, protocol="split")}), "paper")
    assert (STUDY.protocol, moved.protocol) == ("whole", "split")
    with pytest.raises(RequestError, match="unknown protocol of Tier 'half'; there are: split, whole"):
        check(replace(STUDY, tiers={"paper": replace(PAPER, protocol="half")}))


@pytest.mark.parametrize(
    ("base", "says"),
    [
        ({"secu": {"constraint": "none"}}, "secu.constraint, which the study varies"),
        ({"secu": {"dual_lr": 1.0}}, "secu.dual_lr, which the study varies"),
        ({"entropy": {"lr": 1.0}}, "unknown method in tier paper"),
    ],
)
def test_a_tier_that_would_change_the_question_is_refused(base, says):
    with pytest.raises(RequestError, match=says):
        in_tier(replace(STUDY, tiers={"paper": replace(PAPER, base=base)}), "paper")


def test_an_unknown_tier_is_named_with_those_there_are():
    with pytest.raises(UnknownNameError, match="there are: local, paper"):
        in_tier(STUDY, "huge")


def test_a_study_around_an_earlier_one_starts_from_that_study_at_the_same_tier():
    later = replace(STUDY, design=around("earlier", STUDY.design.then))
    assert in_tier(later, "paper").design.first == "earlier.paper"


def test_a_tier_has_a_record_of_its_own(tmp_path):
    small = Tier(datasets=("gaussians",), n_epochs=1)
    asked = Study(
        question="?",
        name="asked",
        datasets=("gaussians",),
        n_epochs=2,
        seeds=6,
        margin=0.02,
        design=one_factor("entropy", {"loss": ["forward"]}),
        tiers={"paper": small},
    )
    with Ledger(tmp_path, writable=True) as ledger:
        for study in (asked, in_tier(asked, "paper")):
            runner = Runner(plan_of(study, Catalogue()), ledger, RunOptions())
            InlineExecutor().run(runner)
            runner.write_record()
        assert ledger.studies.names() == ["asked", "asked.paper"]
        local, paper = (ledger.studies.read(name) for name in ledger.studies.names())
    assert (local[0]["tier"], paper[0]["tier"]) == ("local", "paper")
    assert paper[0]["command"] == "orchestrate run asked --tier paper"
    assert not set(local[1]["trial_id"].to_pylist()) & set(paper[1]["trial_id"].to_pylist())


@pytest.mark.parametrize("said", ["asked", "studies.asked", "some/folder/asked.py", "asked.py"])
def test_every_way_to_name_a_study_leads_to_one_record(said):
    assert (key_of(said), key_of(said, "paper")) == ("asked", "asked.paper")


def test_a_tier_whose_data_are_absent_is_priced_by_the_rates_that_it_states(tmp_path):
    plugins = far_away(tmp_path / "own")
    found = plan_view.priced_plan(in_tier(STUDY, "paper"), tmp_path / "none", Catalogue(plugins, without_data=True), 0)
    # 8 seeds of k-means, 3 arms of SeCu, 4 configurations x 2 seeds of the search at 40 epochs, one of them once more
    assert found["price"]["core_seconds"] == pytest.approx(8 * 400 * 60 + 3 * 8 * 400 * 9 + (8 + 1) * 40 * 9)
    assert (found["tier"], found["price"]["unknown"]) == ("paper", ())
    said = " ".join(found["sentences"])
    assert "fetch far_away" in said
    assert "GPU-hours" in said


def test_the_arms_of_a_tier_train_its_network():
    moved = replace(in_tier(STUDY, "paper"), datasets=("gaussians",))
    plan = plan_of(moved, Catalogue(), {("gaussians", 0): {"dual_lr": 0.2}})
    specs = [trial.spec for trial in plan.confirm_trials([0]) if trial.spec.method == "secu"]
    assert {spec.config["network"] for spec in specs} == {"resnet18"}
    assert {spec.n_epochs for spec in specs} == {400}
