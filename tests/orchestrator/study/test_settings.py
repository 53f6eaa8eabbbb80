"""From a study to trials: in which number format each method's trials are computed."""

from dataclasses import replace

import pytest

from orchestrator.designs.one_factor import one_factor
from orchestrator.errors import RequestError
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.verification import spec_of
from orchestrator.study import Study, check
from orchestrator.study.settings import with_settings

STUDY = Study(
    question="?",
    name="lower",
    datasets=("gaussians",),
    design=one_factor("entropy", {"fairness_weight": [10.0]}),
    rivals=(one_factor("kmeans", {}),),
    exploratory=True,
)

TWO_PARTS = replace(STUDY, name="two_parts", datasets=("cifar10",))


def specs(study):
    catalogue = Catalogue(without_data=True)
    plan = plan_of(study, catalogue)
    return {name: plan.spec(name, {}, study.datasets[0]) for name in study.methods}


def test_a_precision_is_part_of_the_trials_of_methods_that_know_it_and_of_no_others():
    asked = with_settings(STUDY, ["precision=bfloat16"])
    plain, lower = specs(STUDY), specs(asked)
    assert {name: spec.precision for name, spec in lower.items()} == {"entropy": "bfloat16", "kmeans": "float32"}
    assert lower["entropy"].trial_id != plain["entropy"].trial_id
    assert lower["kmeans"].trial_id == plain["kmeans"].trial_id
    assert plan_of(asked, Catalogue()).contrasts == plan_of(STUDY, Catalogue()).contrasts


def test_a_precision_that_there_is_not_or_that_no_method_knows_is_refused_in_one_line():
    with pytest.raises(
        RequestError, match=r"--set 'precision=half': unknown precision of study lower 'half'; there are: b"
    ):
        with_settings(STUDY, ["precision=half"])
    with pytest.raises(RequestError, match="unknown precision of study lower 'half'; there are: bfloat16, float32"):
        check(replace(STUDY, precision="half"))
    alone = replace(STUDY, design=STUDY.rivals[0], rivals=(), precision="bfloat16")
    with pytest.raises(RequestError, match="study lower: precision 'bfloat16': kmeans knows float32 only"):
        plan_of(alone, Catalogue())


def test_a_trial_is_verified_in_the_precision_that_it_was_trained_in():
    spec = specs(replace(STUDY, precision="bfloat16"))["entropy"]
    row = {name: getattr(spec, name) for name in ("method", "method_version", "dataset", "dataset_digest", "protocol")}
    row |= {"config": "{}", "seed_block": "confirm", "seed": 0, "n_epochs": 1, "precision": spec.precision}
    assert spec_of(row).precision == "bfloat16"


def test_a_protocol_is_part_of_every_trial_and_one_that_there_is_not_is_refused_in_one_line():
    split, whole = (specs(with_settings(TWO_PARTS, [f"protocol={name}"])) for name in ("split", "whole"))
    assert {spec.protocol for spec in split.values()} == {"split"}
    assert not {spec.trial_id for spec in split.values()} & {spec.trial_id for spec in whole.values()}
    with pytest.raises(
        RequestError, match=r"--set 'protocol=half': unknown protocol of study lower 'half'; there are: s"
    ):
        with_settings(STUDY, ["protocol=half"])
