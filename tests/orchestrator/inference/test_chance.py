from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score

from orchestrator.inference.chance import chance_levels


def test_chance_agrees_with_the_expected_information_that_ami_takes_off():
    labels = np.random.default_rng(0).integers(0, 10, 1000)
    guess = np.random.default_rng(1).permutation(np.arange(1000) % 10)
    nmi, ami = normalized_mutual_info_score(labels, guess), adjusted_mutual_info_score(labels, guess)
    assert chance_levels(labels, 10)["nmi"] == pytest.approx((nmi - ami) / (1 - ami), abs=5e-4)


def test_a_partition_is_matched_to_the_classes_before_it_is_counted():
    assert chance_levels(np.arange(1000) % 2, 2)["acc"] == pytest.approx(0.5 + 0.5 / np.sqrt(500 * np.pi), abs=6e-3)


def test_an_unequal_class_is_easy_to_hit_and_the_adjusted_metrics_stand_at_zero():
    found = chance_levels(np.r_[np.zeros(900, int), np.ones(100, int)], 1)
    assert found["acc"] == 0.9 and found["nmi"] == 0.0 and found["ari"] == found["ami"] == 0.0


def test_the_same_data_have_the_same_chance_level():
    labels = np.arange(300) % 7
    assert chance_levels(labels, 7) == chance_levels(labels, 7)
