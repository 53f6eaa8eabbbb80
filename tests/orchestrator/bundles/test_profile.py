"""Devices, bundle sizes and shares of a card: a memory model of two sizes, and no look at the workers."""

import json
import random
from dataclasses import replace

import pytest

from orchestrator.bundles.grouping import bundles
from orchestrator.bundles.profile import (
    FILLED,
    MEMBERS_ON_GPU,
    MOST_ON_A_CARD,
    Profile,
    bundle_limit,
    device_for,
    fitting,
    members_within,
    next_slice,
    require_precision,
    share_of_card,
    slices_of_card,
)
from orchestrator.bundles.program import program_key
from orchestrator.errors import RequestError
from orchestrator.knobs import Choice, Float, Knob
from orchestrator.trial import TrialSpec

GIB = 2.0**30
SPACES = {"m": {"weight": Knob(1.0, Float(0.0, 1e9), fuses=True), "loss": Knob("a", Choice("a", "b"))}}
SPEC = TrialSpec(method="m", method_version=1, config={"weight": 1.0, "loss": "a"}, dataset="d", dataset_digest="x")
PROFILE = Profile(
    device="cuda",
    members=8,
    epoch_seconds=(1.0, 0.25),
    fixed_seconds=(0.2, 0.1),
    peak_bytes=(2 * GIB, 9 * GIB),
    capacity_bytes=16 * GIB,
)


def specs(count):
    return [replace(SPEC, config={"weight": float(i), "loss": "a"}) for i in range(count)]


def test_memory_is_linear_through_the_two_sizes_that_were_probed():
    assert [PROFILE.peak(members) / GIB for members in (1, 8, 15)] == [2, 9, 16]
    assert members_within(PROFILE, 16 * GIB) == 13  # 2 + 12 = 14 <= 14.4 < 15


def test_no_bundle_is_over_nine_tenths_of_its_card_for_a_hundred_random_memory_profiles():
    rng, alone_too_large = random.Random(0), set()
    for number in range(100):
        base, slope = rng.uniform(0.05, 30) * GIB, 10 ** rng.uniform(-4, 1.2) * GIB
        capacity = rng.choice([8, 16, 24, 40, 80]) * GIB
        at = rng.randint(2, 16)
        profile = replace(PROFILE, members=at, peak_bytes=(base + slope, base + at * slope), capacity_bytes=capacity)
        limit = bundle_limit(profile, MEMBERS_ON_GPU)
        for bundle in bundles(specs(rng.randint(1, 200)), SPACES, lambda _, limit=limit: limit):
            if base + slope > FILLED * capacity:
                alone_too_large.add(number)  # no choice is left: the trial itself does not fit
                assert len(bundle) == 1
            else:
                assert base + len(bundle) * slope <= FILLED * capacity * (1 + 1e-9)
        if base + slope < FILLED * capacity and limit < MEMBERS_ON_GPU:
            assert base + (limit + 1) * slope > FILLED * capacity * (1 - 1e-9)  # nor is room left unused
    assert len(alone_too_large) < 50


def test_where_a_probe_shows_a_loss_trials_run_alone_unless_they_are_too_short_to_matter():
    slow = replace(PROFILE, epoch_seconds=(1.0, 1.3))
    assert bundle_limit(slow, 64, n_epochs=10) == 1
    assert bundle_limit(replace(slow, epoch_seconds=(0.01, 0.013)), 64, n_epochs=10) == 13
    assert bundle_limit(replace(slow, epoch_seconds=(1.0, 1.05)), 64, n_epochs=10) == 13


def test_what_memory_ran_out_for_is_halved():
    assert bundle_limit(replace(PROFILE, out_of_memory=9), 64) == 4
    assert bundle_limit(replace(PROFILE, out_of_memory=1), 64) == 1


def test_an_unknown_capacity_leaves_the_limit_of_the_method():
    assert bundle_limit(replace(PROFILE, capacity_bytes=0.0), 48) == 48


def test_seconds_of_a_trial_follow_from_a_cost_a_bundle_and_a_cost_a_member():
    assert PROFILE.trial_seconds(10, 1) == pytest.approx(10.2)
    assert PROFILE.trial_seconds(10, 8) == pytest.approx(2.6)
    assert PROFILE.trial_seconds(10, 64) < PROFILE.trial_seconds(10, 16) < PROFILE.trial_seconds(10, 8)


def test_a_profile_survives_json_and_a_strange_one_is_refused():
    assert Profile.from_json(json.loads(json.dumps(PROFILE.as_json()))) == PROFILE
    with pytest.raises(KeyError):
        Profile.from_json({"device": "cpu"})


def test_bundles_that_memory_ran_out_for_are_halved_as_often_as_it_takes():
    (whole,) = bundles(specs(40), SPACES, lambda _: 64)
    cut = list(fitting([whole], lambda _: 20))
    assert [len(bundle) for bundle in cut] == [10, 10, 10, 10]
    assert [spec for bundle in cut for spec in bundle.specs] == list(whole.specs)
    assert list(fitting([whole], lambda _: 0)) == [whole]


def test_a_program_is_what_does_not_fuse_and_the_kind_of_device():
    key = program_key(SPEC, SPACES["m"], "cpu")
    other = replace(SPEC, config={"weight": 3.0, "loss": "a"}, seed=9, n_epochs=77)
    assert program_key(other, SPACES["m"], "cpu") == key
    assert program_key(SPEC, SPACES["m"], "cuda") != key
    assert program_key(replace(SPEC, config={"weight": 1.0, "loss": "b"}), SPACES["m"], "cpu") != key


def test_the_device_is_what_was_asked_for_or_the_gpus_there_are():
    assert [device_for("auto", 0), device_for("auto", 8), device_for("cpu", 8), device_for("cuda", 1)] == [
        "cpu", "cuda", "cpu", "cuda",
    ]  # fmt: skip
    with pytest.raises(RequestError, match="--device cuda: the cluster offers no GPU"):
        device_for("cuda", 0)
    with pytest.raises(RequestError, match="allowed are auto, cpu and cuda"):
        device_for("tpu", 1)


def test_tf32_is_refused_on_a_cpu_before_anything_starts():
    with pytest.raises(RequestError, match="precision tf32 is one of GPUs; on a CPU float32 and bfloat16 are allowed"):
        require_precision("tf32", "cpu")
    require_precision("tf32", "cuda")
    require_precision("bfloat16", "cpu")


def test_a_card_is_shared_only_when_asked_by_what_cannot_fuse_and_fits():
    single = replace(PROFILE, members=1, peak_bytes=(3 * GIB, 3 * GIB))
    assert share_of_card(single, 1, 1) == 1.0
    assert share_of_card(single, 1, 4) == 0.25
    assert share_of_card(single, 1, 5) == 1.0  # 15 of 16 GiB is too much
    assert share_of_card(single, 16, 4) == 1.0  # fuses
    assert share_of_card(None, 1, 4) == 1.0  # nothing is known of its memory


@pytest.mark.parametrize("n", range(1, MOST_ON_A_CARD + 1))
def test_slices_fill_a_card_and_no_two_of_one_kind_fit_beside_those_before_it(n):
    parts = [round(10_000 * part) for part in slices_of_card(n)]  # Ray counts in ten-thousandths
    assert len(parts) == n and sum(parts) == 10_000 and min(parts) > 0
    for place, part in enumerate(parts):
        assert sum(parts[:place]) + 2 * part > 10_000


@pytest.mark.parametrize("n", range(2, MOST_ON_A_CARD + 1))
def test_every_card_has_a_bundle_before_any_has_another_also_as_workers_come_and_go(n):
    rng, cards = random.Random(n), 3
    room = [[10_000, 0] for _ in range(cards)]  # what is left of each card, and its bundles
    workers = []
    for _ in range(300):
        if len(workers) < n * cards and rng.random() < 0.6:
            part = next_slice(1 / n, [part for part, _ in workers], cards)
            units = round(10_000 * part)
            card = min((c for c in range(cards) if room[c][0] >= units), key=lambda c: room[c][0])  # Ray: the fullest
            room[card] = [room[card][0] - units, room[card][1] + 1]
            workers.append((part, card))
        elif workers:
            part, card = workers.pop(rng.randrange(len(workers)))
            room[card] = [room[card][0] + round(10_000 * part), room[card][1] - 1]
        if len(workers) == n * cards:
            assert [count for _, count in room] == [n] * cards


def test_as_many_bundles_as_cards_are_on_as_many_cards():
    for n in range(2, MOST_ON_A_CARD + 1):
        held, room = [], [10_000] * 5
        for started in range(1, 5 * n + 1):
            held.append(next_slice(1 / n, held, 5))
            units = round(10_000 * held[-1])
            card = min((c for c in range(5) if room[c] >= units), key=lambda c: room[c])
            room[card] -= units
            assert sum(left < 10_000 for left in room) == min(started, 5)
