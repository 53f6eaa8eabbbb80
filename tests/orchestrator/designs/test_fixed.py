"""A single configuration beside a design."""

from __future__ import annotations

import pytest

from orchestrator.designs.fixed import fixed
from orchestrator.errors import RequestError


def test_it_is_one_arm_at_its_defaults_but_for_what_is_set(space):
    (arm,) = fixed("entropy", lr=0.3).arms(space, {})
    assert dict(arm.values) == {"lr": 0.3} and arm.name == "entropy" and arm.role == "baseline"


def test_it_can_have_a_name_of_its_own_and_varies_nothing(space):
    design = fixed("entropy", "fast", lr=1.0)
    assert design.arms(space, {})[0].name == "fast"
    assert design.knobs == () and design.contrasts(design.arms(space, {})) == ()


@pytest.mark.parametrize(
    ("values", "says"), [({"speed": 1}, "unknown knob of entropy 'speed'"), ({"lr": 3.0}, "entropy.lr = 3.0")]
)
def test_a_wrong_value_is_refused(space, values, says):
    with pytest.raises(RequestError, match=says):
        fixed("entropy", **values).arms(space, {})
