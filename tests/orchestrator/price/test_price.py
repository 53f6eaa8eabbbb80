"""Prices: from rows and probes to seconds and wall-clock, with intervals that widen with the distance of the source."""

import math
from dataclasses import replace

import pyarrow as pa
import pytest

from orchestrator.bundles.profile import Profile
from orchestrator.knobs import Choice, Float, Int, Knob
from orchestrator.price.knowledge import Knowledge
from orchestrator.price.price import BUNDLE_SECONDS, WAVE_SECONDS, price
from orchestrator.price.rates import AFAR
from orchestrator.trial import TrialSpec, canonical_json

SPACES = {"m": {"weight": Knob(1.0, Float(0.0, 9.0), fuses=True), "loss": Knob("a", Choice("a", "b"))}}
SPEC = TrialSpec(
    method="m", method_version=1, config={"weight": 1.0, "loss": "a"}, dataset="d", dataset_digest="x", n_epochs=10
)
PROFILE = Profile(
    device="cpu",
    members=2,
    epoch_seconds=(1.0, 0.6),
    fixed_seconds=(0.0, 0.0),
    peak_bytes=(2.0**30, 2.0**30),
    capacity_bytes=0.0,
)
NOW = (0.0, 0.0, 0.0)


def rows(*seconds, loss="a", dataset="d", n_epochs=10, size=1):
    row = {
        "method": "m",
        "method_version": 1,
        "dataset": dataset,
        "protocol": "whole",
        "precision": "float32",
        "config": canonical_json({"weight": 2.0, "loss": loss}),
        "device": "cpu",
        "state": "complete",
        "n_epochs": n_epochs,
        "bundle_size": size,
        "cost.peak_memory_bytes": 2.0**30,
    }
    return pa.Table.from_pylist([{**row, "cost.seconds": float(each)} for each in seconds])


def known(found=None, profile=None, limit=1, **more):
    return Knowledge(
        rows=rows(1.0)[:0] if found is None else found,
        spaces=SPACES,
        profile=lambda _: profile,
        limit=lambda _: limit,
        **{"size": lambda dataset, protocol: (100, 4), **more},
    )


def trials(count):
    return [replace(SPEC, seed=seed) for seed in range(count)]


def test_rows_of_the_same_program_give_the_rate():
    found = price([trials(4)], known(rows(20.0, 20.0)), 2, NOW)
    assert found.core_seconds == pytest.approx(80)
    assert found.low == pytest.approx(80 / 1.25)
    assert found.high == pytest.approx(80 * 1.25)
    assert found.wall_seconds[0] == pytest.approx(40 + 2 * BUNDLE_SECONDS[0] + WAVE_SECONDS[0])


def test_the_further_the_source_the_wider_the_interval_and_the_nearest_one_counts():
    same = price([trials(1)], known(rows(20.0, 20.0)), 1, NOW)
    program = price([trials(1)], known(rows(30.0, 30.0, loss="b")), 1, NOW)
    dataset = price([trials(1)], known(rows(40.0, 40.0, dataset="other")), 1, NOW)
    assert [found.core_seconds for found in (same, program, dataset)] == pytest.approx([20, 30, 40])
    widths = [found.high / found.low for found in (same, program, dataset)]
    assert widths == sorted(widths)
    mixed = pa.concat_tables([rows(20.0, 20.0), rows(90.0, 90.0, loss="b"), rows(90.0, dataset="other")])
    assert price([trials(1)], known(mixed), 1, NOW).core_seconds == pytest.approx(20)


@pytest.mark.parametrize(
    ("size", "expected", "reaches"),
    [((100, 4), 40.0, (40.0, 40.0)), ((1_400, 4), 560.0, (560.0, 560.0)), ((1_400, 100), 2_800.0, (560.0, 14_000.0))],
)
def test_rows_of_other_data_are_scaled_by_points_and_somewhere_between_not_and_by_their_numbers(
    size, expected, reaches
):
    sizes = {"other": (100, 4), "d": size}
    found = price([trials(1)], known(rows(40.0, dataset="other"), size=lambda data, _: sizes[data]), 1, NOW)
    assert found.core_seconds == pytest.approx(expected)
    assert found.low < reaches[0] / 4 * 1.01
    assert found.high > reaches[1] * 4 * 0.99


def test_what_was_trained_on_data_of_which_nothing_is_known_prices_nothing():
    absent = {"other": (100, 4), "d": None}
    for sizes in (absent, {"other": None, "d": (100, 4)}):
        found = price([trials(1)], known(rows(40.0, dataset="other"), size=lambda data, _, s=sizes: s[data]), 1, NOW)
        assert found.unknown == ("m on d",)


@pytest.mark.parametrize(("restarts", "seconds"), [(2, 20.0), (5, 50.0), (100, 1_000.0)])
def test_time_is_in_proportion_to_a_knob_that_says_so(restarts, seconds):
    found = rows(20.0, 20.0).drop_columns("config").append_column("config", pa.array(['{"restarts":2}'] * 2))
    spaces = {"m": {"restarts": Knob(10, Int(1, 100), fuses=True, costs=True)}}
    asked = [[replace(SPEC, config={"restarts": restarts})]]
    assert price(asked, replace(known(found), spaces=spaces), 1, NOW).core_seconds == pytest.approx(seconds)


def test_a_probe_prices_every_bundle_size_and_rows_correct_its_level():
    alone = price([trials(4)], known(profile=PROFILE), 1, NOW)
    fused = price([trials(4)], known(profile=PROFILE, limit=2), 1, NOW)
    assert alone.core_seconds == pytest.approx(40)
    assert (fused.core_seconds, fused.n_bundles) == (pytest.approx(24 + 10), 2)  # one member is trained again, alone
    assert fused.high / fused.low <= 2
    twice = price([trials(4)], known(rows(12.0, 12.0, size=2), PROFILE), 1, NOW)
    assert twice.core_seconds == pytest.approx(80)  # 6 s were predicted at size 2: this machine takes twice as long


def test_rows_of_another_machine_price_what_was_never_probed_here_and_correct_no_probe():
    elsewhere = rows(12.0, 12.0, size=2).append_column("elsewhere", pa.array([True, True]))
    assert price([trials(4)], known(elsewhere, PROFILE), 1, NOW).core_seconds == pytest.approx(40)
    found = price([trials(4)], known(elsewhere), 1, NOW)
    assert found.core_seconds == pytest.approx(48)
    assert (found.low, found.high) == pytest.approx((48 / 1.25 / AFAR, 48 * 1.25 * AFAR))  # it may be faster or slower


def test_what_others_take_of_the_machine_may_come_to_be_free():
    alone, among = (price([trials(4)], known(rows(20.0, 20.0), busy=busy), 1, NOW) for busy in (1.0, 4.0))
    assert among.core_seconds == alone.core_seconds
    assert (among.low, among.high) == pytest.approx((alone.low / 4, alone.high * 2))


def test_waves_wait_for_each_other_and_workers_without_a_bundle_stay_idle():
    together = price([trials(4)], known(rows(20.0, 20.0)), 4, NOW).wall_seconds[0]
    apart = price([trials(2), trials(2)], known(rows(20.0, 20.0)), 4, NOW).wall_seconds[0]
    assert apart == pytest.approx(2 * together)


def test_start_up_is_part_of_the_wall_clock_and_of_its_interval():
    found = price([trials(1)], known(rows(20.0, 20.0)), 1, (5.0, 10.0, 20.0))
    none = price([trials(1)], known(rows(20.0, 20.0)), 1, NOW)
    assert [a - b for a, b in zip(found.wall_seconds, none.wall_seconds, strict=True)] == pytest.approx([10, 5, 20])


def test_nothing_to_train_costs_nothing_and_nothing_known_has_no_price():
    assert price([[]], known(), 2).wall_seconds == (0, 0, 0)
    found = price([trials(2)], known(), 2)
    assert math.isnan(found.core_seconds)
    assert found.unknown == ("m on d",)


def test_a_stated_rate_counts_before_rows_of_other_data_and_after_those_of_the_same():
    stated = {"m": 7.0}
    assert price([trials(1)], known(rows(20.0, dataset="other"), stated=stated), 1).core_seconds == pytest.approx(70)
    assert price([trials(1)], known(rows(20.0), stated=stated), 1).core_seconds == pytest.approx(20)


def test_rows_of_a_version_with_other_knobs_are_another_program():
    other = rows(20.0, 20.0).drop_columns("config")
    other = other.append_column("config", pa.array([canonical_json({"gone": 1})] * 2))
    assert price([trials(1)], known(other), 1).high / price([trials(1)], known(other), 1).low > 3
