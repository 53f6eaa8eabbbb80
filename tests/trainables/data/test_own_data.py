"""What stands in the place of a dataset that a method brings itself tells nothing about any data."""

import torch

from orchestrator.own.declared import OWN_DATA
from trainables.data.own_data import OWN


def test_it_has_the_name_that_studies_plan_with_and_holds_no_difference_between_points():
    assert OWN.name == OWN_DATA
    assert OWN.n_classes == 1 and OWN.labels.unique().tolist() == [0]
    assert torch.equal(OWN.inputs, torch.zeros_like(OWN.inputs))


def test_it_is_the_same_under_every_protocol():
    assert OWN.under("whole").digest == OWN.digest
