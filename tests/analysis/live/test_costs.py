"""What a run costs beside its price, and what its driver announces of itself."""

import json
import math

import pytest

from analysis.live.costs import costs_told, run_told, whole_of
from analysis.live.kept_rows import KeptRows

CLAIM = {
    "study": "s", "device": "cuda", "dashboard": "http://head:8265", "n_trials": 40, "n_hits": 10,
    "priced": {"n_trials": 30, "seconds": [60.0, 50.0, 90.0], "wall_seconds": [30.0, 25.0, 45.0], "workers": 2},
    "started_at": "2026-01-01T00:00:00+00:00",
}  # fmt: skip
STARTED = 1767225600.0


def facts(*rows):
    found = KeptRows()
    found.make_room(len(rows))
    for place, (rank, seconds, ended) in enumerate(rows):
        found.facts["rank"][place], found.facts["seconds"][place], found.facts["ended"][place] = rank, seconds, ended
    return found.facts


def test_the_run_under_way_is_what_has_ended_since_it_began():
    own = facts((3, 2.0, STARTED + 5), (3, 4.0, STARTED + 9), (3, 100.0, STARTED - 5), (0, 0.0, 0.0))
    (now,) = costs_told({}, run_told(CLAIM), own)
    assert (now["at"], now["trials"], now["of"], now["spent"]) == ("now", 2, 30, 6.0)
    assert now["expected"] == pytest.approx(90.0) and now["priced"] == [60.0, 50.0, 90.0]


def test_past_runs_are_told_the_latest_first_with_the_price_that_they_had():
    past = {"trials": 5, "seconds": 7.0, "priced": {"n_trials": 6, "seconds": [8.0, 7.0, 9.0]}}
    runs = [{**past, "at": f"day {number}"} for number in range(9)] + [{"at": "day 9", "trials": 1, "priced": None}]
    told = costs_told({"runs": runs}, {}, facts())
    assert [one["at"] for one in told] == ["day 9", "day 8", "day 7"]
    assert (told[1]["spent"], told[1]["of"], told[1]["priced"]) == (7.0, 6, [8.0, 7.0, 9.0])
    assert told[0]["priced"] == []


@pytest.mark.parametrize(
    "priced", [None, 3, [], {"seconds": [1, 2]}, {"seconds": ["a", 1, 2]}, {"seconds": [math.nan] * 3}]
)
def test_a_price_that_is_none_is_not_told(priced):
    assert run_told({**CLAIM, "priced": priced})["seconds"] == []


def test_whatever_stands_in_a_claim_what_is_told_is_json_of_the_promised_kinds():
    odd = {name: {"deep": [math.inf]} for name in (*CLAIM, "workers")}
    for claim in ({}, odd, {**CLAIM, "n_trials": -1, "n_hits": True, "started_at": "soon"}):
        told = run_told(claim)
        assert told["n_trials"] == told["n_hits"] == 0 and told["started"] == math.inf
        json.dumps({**told, "started": 0}, allow_nan=False)
        assert costs_told({}, told, facts((3, 1.0, STARTED)))[0]["trials"] == 0


def test_the_whole_of_a_study_is_what_its_driver_announced_or_its_search_and_its_plan_come_to():
    record = {"searches": [{"n_configurations": 10, "n_seeds": 4}]}
    assert whole_of(record, 12, 0, 0) == 40 and whole_of(record, 60, 20, 0) == 60
    assert whole_of(record, 12, 0, 100) == 100 and whole_of({}, 12, 12, 0) == 12
