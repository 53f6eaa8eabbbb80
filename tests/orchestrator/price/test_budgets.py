"""Budgets: of which cards, over which runs, and what counts when a card has not said its name."""

from __future__ import annotations

import pytest

from orchestrator.errors import RequestError
from orchestrator.price.budgets import Budget, Spending

HOUR = 3600.0


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("40", Budget(40.0)),
        ("0.5", Budget(0.5)),
        ("A100=40", Budget(40.0, "A100")),
        ("study:12", Budget(12.0, "", "study")),
        ("folder:H100 80GB=200", Budget(200.0, "H100 80GB", "folder")),
        ("command:1e3", Budget(1000.0)),
    ],
)
def test_a_budget_is_hours_of_cards_for_a_command_a_study_or_a_folder(text, budget):
    assert Budget.of(text) == budget


@pytest.mark.parametrize("text", ["", "many", "0", "-1", "nan", "inf", "week:40", "=40", "A100=", "A100:40"])
def test_another_form_is_refused_with_what_is_allowed(text):
    with pytest.raises(RequestError, match=r"--budget-hours .*: allowed are HOURS, CARD=HOURS"):
        Budget.of(text)


def test_a_budget_counts_the_cards_of_its_name_and_what_has_not_said_its_own():
    spent = {"NVIDIA A100-SXM4-80GB": 10.0, "NVIDIA H100 PCIe": 100.0, "": 1.0}
    assert Budget.of("a100=1").seconds(spent) == 11.0
    assert Budget.of("1").seconds(spent) == 111.0


def spent(spending, **seconds):
    return spending.exceeded(lambda: seconds)


def test_a_commands_budget_counts_all_its_runs_and_none_before(tmp_path):
    (tmp_path / "studies/one").mkdir(parents=True)
    (tmp_path / "studies/two").mkdir()
    for _ in range(2):  # a second command begins anew
        spending = Spending(tmp_path, [Budget(1.0)])
        spending.begin("one")
        assert not spent(spending, A100=0.9 * HOUR)
        assert "budget of 1 worker-hours of this command is spent" in spent(spending, A100=1.1 * HOUR)
        spending.end({"A100": 0.6 * HOUR})
        spending.begin("two")
        assert not spent(spending, H100=0.3 * HOUR)
        assert spent(spending, H100=0.5 * HOUR)


@pytest.mark.parametrize(("scope", "other"), [("study", False), ("folder", True)])
def test_a_study_and_a_folder_remember_what_earlier_commands_spent(tmp_path, recorded, scope, other):
    for study in ("one", "two"):
        recorded(study)
    first = Spending(tmp_path)
    first.begin("one")
    first.end({"A100": 0.7 * HOUR, "H100": 5 * HOUR})
    spending = Spending(tmp_path, [Budget(1.0, "A100", scope)])
    spending.begin("one")
    assert not spent(spending, A100=0.2 * HOUR)
    assert "hours of A100" in spent(spending, A100=0.4 * HOUR)
    spending.begin("two")
    assert bool(spent(spending, A100=0.4 * HOUR)) is other


def test_a_run_that_was_killed_is_remembered_up_to_its_last_minute(tmp_path, recorded, monkeypatch):
    recorded("one")
    monkeypatch.setattr("orchestrator.ledger.studies.spending.SECONDS", 0.0)
    killed = Spending(tmp_path)
    killed.begin("one")
    killed.note(lambda: {"A100": 0.2 * HOUR})
    killed.note(lambda: {"A100": 0.8 * HOUR})
    with (tmp_path / "studies/one/spending.jsonl").open("a") as file:
        file.write('{"run": "half a li')
    spending = Spending(tmp_path, [Budget(1.0, scope="study")])
    spending.begin("one")
    assert not spent(spending, A100=0.1 * HOUR)
    assert spent(spending, A100=0.3 * HOUR)


def test_runs_of_an_older_release_count_for_every_card(tmp_path, recorded):
    recorded("one", runs=[{"seconds": 0.8 * HOUR}])
    spending = Spending(tmp_path, [Budget(1.0, "A100", "folder")])
    spending.begin("one")
    assert not spent(spending, A100=0.1 * HOUR)
    assert spent(spending, A100=0.3 * HOUR)


def test_without_a_budget_nobody_asks_what_was_spent(tmp_path):
    spending = Spending(tmp_path)
    spending.begin("one")
    assert spending.exceeded(lambda: pytest.fail("it was asked")) == ""


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """A function that has a study's record say what its runs were."""
    known = {}
    monkeypatch.setattr("orchestrator.ledger.studies.spending.study_names", lambda results: sorted(known))
    monkeypatch.setattr("orchestrator.ledger.studies.spending.read_study", lambda results, name: (known[name], None))

    def record(study, runs=()):
        (tmp_path / "studies" / study).mkdir(parents=True)
        known[study] = {"runs": list(runs)}

    return record
