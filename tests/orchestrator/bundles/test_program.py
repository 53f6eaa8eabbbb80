"""The keys of a program: what makes another one, and what does not."""

from dataclasses import replace

import pytest

from orchestrator.bundles.program import bundle_key, program_key
from orchestrator.domains import Float, Int
from orchestrator.knobs import Knob
from orchestrator.trial import TrialSpec

SPACE = {"rate": Knob(0.1, Float(0.0, 1.0), True, {}, None), "width": Knob(8, Int(1, 99), False, {}, None)}
SPEC = TrialSpec(
    method="toy", method_version=1, config={"rate": 0.1, "width": 8}, dataset="digits", dataset_digest="d", n_epochs=3
)


def test_seeds_and_fusing_knobs_make_no_other_program():
    other = replace(SPEC, seed=7, config={"rate": 0.9, "width": 8})
    assert bundle_key(other, SPACE) == bundle_key(SPEC, SPACE)
    assert program_key(other, SPACE, "cpu") == program_key(SPEC, SPACE, "cpu")


@pytest.mark.parametrize(
    "change", [{"config": {"rate": 0.1, "width": 9}}, {"dataset": "moons"}, {"precision": "bfloat16"}]
)
def test_another_shape_of_the_training_is_another_program(change):
    other = replace(SPEC, **change)
    assert bundle_key(other, SPACE) != bundle_key(SPEC, SPACE)
    assert program_key(other, SPACE, "cpu") != program_key(SPEC, SPACE, "cpu")


def test_a_budget_parts_bundles_and_no_profiles_and_a_device_parts_profiles_only():
    longer = replace(SPEC, n_epochs=4)
    assert bundle_key(longer, SPACE) != bundle_key(SPEC, SPACE)
    assert program_key(longer, SPACE, "cpu") == program_key(SPEC, SPACE, "cpu")
    assert program_key(SPEC, SPACE, "cuda") != program_key(SPEC, SPACE, "cpu")
