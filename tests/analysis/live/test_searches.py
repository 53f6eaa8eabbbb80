"""A search followed row by row is the history that a driver records at its end."""

import json
import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from analysis.live import searches
from analysis.live.search_rows import COLUMNS, SearchRows
from analysis.live.searches import FollowedSearch
from analysis.sensitivity import estimators, importance
from orchestrator.ledger.rows.following import Change, Following
from orchestrator.ledger.studies import read_study

METRIC = "metric.neighbour_mi"


@pytest.fixture(scope="module")
def found(synthetic):
    """The recorded entry of the synthetic search, its trials, and their rows."""
    record, plan = read_study(synthetic.results, "synthetic")
    following = Following(synthetic.results, ("collapsed", *COLUMNS, METRIC))
    change = following.look()
    ids = [one for one, phase in zip(plan["trial_id"].to_pylist(), plan["phase"].to_pylist(), strict=True)
           if phase == "search"]  # fmt: skip
    return record["searches"][0], following.slots(ids), change


def unfinished(search):
    return {**search, "chosen": None, "chosen_number": None, "history": []}


def part(change, start, end):
    return Change(change.slots[start:end], change.rows.slice(start, end - start), change.gone)


def followed(search, slots, change, width):
    rows, one = SearchRows((METRIC,)), FollowedSearch(unfinished(search), slots[:4])
    for start in range(0, len(change.slots), width):
        rows.take(part(change, start, start + width))
        one.follow(rows)
    return one, rows


@pytest.mark.parametrize("width", [1, 7, 1_000])
def test_rows_say_what_the_record_says_however_they_come(found, width):
    search, slots, change = found
    told, recorded = followed(search, slots, change, width)[0].told(), FollowedSearch(search, slots).told()
    assert told["n"] == recorded["n"] == 24 and told["of"] == 24
    assert {round(one[1], 9) for one in told["points"]} == {round(one[1], 9) for one in recorded["points"]}
    assert told["best_now"] == pytest.approx(recorded["best_now"]) and told["best_values"] == recorded["best_values"]
    assert told["best_now"] == pytest.approx(max(one["objective"][0] for one in search["history"] if one["feasible"]))


def test_the_best_only_gets_better_and_is_none_that_collapsed(found):
    search, slots, change = found
    told = followed(search, slots, change, 5)[0].told()
    values = [value for _, value in told["best"]]
    assert values == sorted(values) and len(set(values)) == len(values)
    able = dict((place, feasible) for place, _, feasible in told["points"])
    assert all(able[place] for place, _ in told["best"])


def test_a_retracted_configuration_is_not_counted(found):
    search, slots, change = found
    one, rows = followed(search, slots, change, 1_000)
    rows.take(Change(change.slots[:0], change.rows.slice(0, 0), slots[4:5]))
    one.follow(rows)
    assert one.told()["n"] == 23


def test_rows_of_another_search_with_other_fixed_knobs_are_left_out(found):
    search, slots, change = found
    configs = change.rows["config"].to_pylist()
    changed = [json.dumps({**json.loads(text), "loss": "other"}) if place >= 48 else text
               for place, text in enumerate(configs)]  # fmt: skip
    place = change.rows.column_names.index("config")
    other = Change(change.slots, change.rows.set_column(place, "config", [changed]), change.gone)
    assert followed(search, slots, other, 1_000)[0].told()["n"] == 12


def test_importances_wait_for_enough_configurations_and_then_for_a_tenth_more(found):
    search, slots, change = found
    assert searches.FEWEST == importance.FEWEST
    early = followed(search, slots, part(change, 0, 4 * 19), 1_000)[0]
    assert not early.due
    one = followed(search, slots, change, 1_000)[0]
    assert one.due
    one.estimate()
    assert not one.due and one.told()["importances"][0][0] == "fairness_weight"


def test_what_is_told_is_json_also_where_nothing_was_measured(found):
    search, slots, _ = found
    history = [{**one, "objective": [math.nan]} for one in search["history"]]
    told = FollowedSearch({**search, "history": history}, slots).told()
    assert told["points"][0][1] is None and told["best"] == []
    json.dumps(told, allow_nan=False)


@pytest.fixture
def two(found):
    """The search with a second objective, to be small."""
    search = {**found[0], "rules": ["neighbour_mi", "wall"], "directions": ["maximize", "minimize"]}
    random = np.random.default_rng(0)
    history = [{**one, "objective": [one["objective"][0], float(random.integers(9))]} for one in search["history"]]
    return {**search, "history": history}, found[1]


def test_the_front_of_two_objectives_is_what_no_other_one_beats_in_both(two):
    told = FollowedSearch(*two).told()["trade_off"]
    able = [one["objective"] for one in two[0]["history"] if one["feasible"]]
    beaten = [any(o[0] >= a[0] and o[1] <= a[1] and o != a for o in able) for a in able]
    expected = sorted(([*one] for one, out in zip(able, beaten, strict=True) if not out), reverse=True)
    assert [values for _, values, _ in told["front"]] == expected and told["n_front"] == len(expected)
    assert told["rules"] == ["neighbour_mi", "wall"] and len(told["points"]) == 24
    assert set(told["front"][0][2]) == set(two[0]["space"])


def test_one_objective_has_no_front(found):
    assert FollowedSearch(*found[:2]).told()["trade_off"] is None


def test_a_front_that_grows_row_by_row_is_that_of_all_rows(found):
    search, slots, change = found
    random = np.random.default_rng(1)
    wall = pa.array(random.integers(20, size=len(change.rows)).astype(float))
    change = Change(change.slots, change.rows.append_column("metric.wall", wall), change.gone)
    several = {**unfinished(search), "rules": ["neighbour_mi", "wall"], "directions": ["maximize", "minimize"]}
    fronts = []
    for width in (4, 1_000):
        rows, one = SearchRows((METRIC, "metric.wall")), FollowedSearch(several, slots[:4])
        for start in range(0, len(change.slots), width):
            rows.take(part(change, start, start + width))
            one.follow(rows)
        fronts.append(sorted(values for _, values, _ in one.told()["trade_off"]["front"]))
    assert fronts[0] == fronts[1] and len(fronts[0]) > 1


def test_importances_are_those_of_the_report(found):
    search, slots, change = found
    one = followed(search, slots, change, 1_000)[0]
    one.estimate()
    knobs = pd.DataFrame([entry["values"] for entry in search["history"]])[list(search["space"])]
    values = np.array([entry["objective"][0] for entry in search["history"]])
    known = estimators.ped_anova(knobs, values, search["space"], n_bootstrap=0)["importance"]
    assert dict(one.importances) == pytest.approx(known.to_dict(), abs=6e-4)


def test_a_long_history_is_thinned(found):
    search, slots, _ = found
    history = [{**search["history"][0], "objective": [float(number)]} for number in range(5_000)]
    told = FollowedSearch({**search, "history": history}, slots).told()
    assert told["n"] == 5_000 and len(told["points"]) <= searches.MOST_POINTS
    assert len(told["best"]) <= searches.MOST_POINTS and told["best_now"] == 4_999.0


def test_metrics_under_way_are_those_of_searches_without_a_choice(found):
    search = found[0]
    assert searches.metrics_under_way({"searches": [search]}) == []
    assert searches.metrics_under_way({"searches": [unfinished(search)]}) == [METRIC]
