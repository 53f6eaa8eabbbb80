"""Nodes come and go: four raylets with two logical GPUs each on this machine, one killed, one added in mid-study."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.ledger import Ledger

DRIVER = Path(__file__).parent / "nodes" / "driver.py"
SHARED = DRIVER.with_name("shared_cards.py")
RETURNED = DRIVER.with_name("returned.py")
TWO_CARDS = DRIVER.with_name("two_cards.py")
SEEDS = 80  # so long that a node that comes late finds work
ARMS = 3


@pytest.fixture(scope="module")
def happened(tmp_path_factory):
    """What the driver said, and the ledger it left."""
    home = tmp_path_factory.mktemp("nodes")
    said = _run(home, DRIVER, str(home / "results"), str(SEEDS))
    return json.loads(said.splitlines()[-1]), Ledger(home / "results")


def _run(home, script, *arguments):
    """Return what a script printed that ended well, in a process of its own."""
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(DRIVER.parents[4])}
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_a_killed_node_costs_nothing_but_time_every_trial_is_complete_and_none_twice(happened):
    said, ledger = happened
    assert said["finished"] and not said["stop_reason"]
    assert said["complete_then"] < ARMS * SEEDS  # the node died in the middle
    attempts = ledger.trials(view=False)
    assert len(attempts) == ARMS * SEEDS == attempts["trial_id"].nunique()
    assert set(attempts["state"]) == {"complete"}


@pytest.mark.slow
def test_every_card_works_and_a_late_node_gets_work(happened):
    said, ledger = happened
    rows = ledger.epochs()
    cards = set(zip(rows["diagnostic.node"], rows["diagnostic.card"], strict=True))
    assert len(cards) >= 9  # the driver killed a node only once all eight had reported
    assert said["late"] in set(rows["diagnostic.node"].astype(int))
    assert {card for _, card in cards} == {0.0, 1.0}


@pytest.mark.slow
def test_no_card_has_two_bundles_at_a_time(happened):
    _, ledger = happened
    rows = ledger.epochs().sort_values("diagnostic.began")
    for _, own in rows.groupby(["diagnostic.node", "diagnostic.card"]):
        for (_, before), (_, after) in itertools.pairwise(own.iterrows()):
            assert before["diagnostic.ended"] <= after["diagnostic.began"] + 1e-3


@pytest.mark.slow
def test_rows_say_that_torch_saw_no_gpu_and_fell_back(happened):
    _, ledger = happened
    assert set(ledger.trials()["device"]) == {"cpu"}


def _most_at_once(ledger):
    """Card -> the most bundles that it had at a time."""
    rows = ledger.epochs()
    most = {}
    for card, own in rows.groupby(["diagnostic.node", "diagnostic.card"]):
        events = [(at, 1) for at in own["diagnostic.began"]] + [(at, -1) for at in own["diagnostic.ended"]]
        most[card] = max(itertools.accumulate(step for _, step in sorted(events)))
    return most


@pytest.mark.slow
def test_every_card_has_a_bundle_before_one_has_two_and_none_has_three(tmp_path):
    _run(tmp_path, SHARED, str(tmp_path))
    spread, full = Ledger(tmp_path / "spread"), Ledger(tmp_path / "full")
    assert list(_most_at_once(spread).values()) == [1, 1, 1, 1]  # equal halves: two cards with two, two with none
    assert set(_most_at_once(full).values()) <= {1, 2}
    for ledger in (spread, full):
        assert set(ledger.trials()["state"]) == {"complete"}


@pytest.mark.slow
def test_idle_workers_are_returned_to_others_while_a_study_trains_its_last_bundles(tmp_path):
    said = json.loads(_run(tmp_path, RETURNED, str(tmp_path / "results")).splitlines()[-1])
    assert said["complete"] == 6
    assert said["free"] and set(said["free"]) == {2.0}  # of five workers two train on, and Ray Tune keeps one


@pytest.mark.slow
def test_a_command_gets_the_cards_that_it_says_and_its_files_where_no_worker_sees_them(tmp_path):
    _run(tmp_path, TWO_CARDS, str(tmp_path))
    ledger = Ledger(tmp_path / "results")
    trials = ledger.trials().set_index("trial_id")
    assert len(trials) == 8 and set(trials["state"]) == {"complete"}
    of_script = trials[trials["method"] == "both"]
    assert set(of_script["metric.seen"]) == set(of_script["metric.told"]) == {2.0}
    spans = ledger.epochs().set_index("trial_id")
    spans = spans.assign(method=trials["method"]).sort_values("diagnostic.began")
    for (_, first), (_, second) in itertools.pairwise(spans.iterrows()):
        if "both" in (first["method"], second["method"]):  # two cards are all that there are
            assert first["diagnostic.ended"] <= second["diagnostic.began"]
