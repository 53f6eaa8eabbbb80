"""Bundle sizes of a study: remembered before a bundle is cut, and never changed under way."""

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.bundles.profile import Profile
from orchestrator.bundles.program import program_key
from orchestrator.bundles.size import BundleLimits, known_profile
from orchestrator.ledger import Ledger, profiles
from orchestrator.plan.catalogue import Catalogue
from orchestrator.trial import Bundle, TrialSpec

TOY = (str(Path(__file__).parents[1] / "toy"),)
CONFIG = {"level": 0.5, "mode": "plain", "trouble": "none"}
SPEC = TrialSpec(method="toy", method_version=1, config=CONFIG, dataset="digits", dataset_digest="x", n_epochs=3)
PROFILE = Profile(
    device="cpu",
    members=4,
    epoch_seconds=(1.0, 1.0),
    fixed_seconds=(0.0, 0.0),
    peak_bytes=(100.0, 400.0),
    capacity_bytes=300.0,
)


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path, writable=True) as ledger:
        yield ledger


def limits(ledger, study="one"):
    return BundleLimits(ledger, Catalogue(TOY), study)


def key(ledger):
    return program_key(SPEC, Catalogue(TOY).space("toy"), "cpu")


def keep(ledger, profile):
    profiles.write_profile(ledger.folder, key(ledger), profile.as_json(), {})


def bundle(size):
    return Bundle(tuple(replace(SPEC, seed=seed) for seed in range(size)))


def test_without_a_profile_the_method_says_how_large(ledger):
    assert limits(ledger)(SPEC) == 4


def test_a_profile_bounds_the_bundle_by_memory(ledger):
    keep(ledger, PROFILE)
    assert limits(ledger)(SPEC) == 2  # 100 a member, 270 of 300 may be used


def test_a_study_under_way_keeps_its_sizes_whatever_is_measured_meanwhile_and_another_one_does_not(ledger):
    assert limits(ledger)(SPEC) == 4
    keep(ledger, PROFILE)
    limits(ledger).ran_out(bundle(4), 4)
    assert limits(ledger)(SPEC) == 4
    assert limits(ledger, "two")(SPEC) == 2


def test_the_smallest_bundle_that_memory_ran_out_for_is_remembered_and_halved(ledger):
    first = limits(ledger)
    first.ran_out(bundle(4), 4)
    first.ran_out(bundle(4), 3)
    first.ran_out(bundle(4), 4)
    assert profiles.read_memory(ledger.folder, key(ledger)) == 3
    assert [len(b) for b in limits(ledger).fitting([bundle(4)])] == [2, 2]
    assert limits(ledger, "two")(SPEC) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"key": "another"}', '{"limits": []}'])
def test_damaged_files_mean_that_nothing_is_known(ledger, content):
    keep(ledger, PROFILE)
    for path in (ledger.folder / "profiles").iterdir():
        path.write_text(content)
    assert known_profile(ledger, key(ledger)) is None
    assert limits(ledger)(SPEC) == 4
