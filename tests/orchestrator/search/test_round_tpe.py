"""TPE for many configurations under way draws what Optuna's own draws, bit for bit."""

import math

import optuna
import pytest

from orchestrator.designs.search import search
from orchestrator.knobs import Choice, Float, Int, Knob
from orchestrator.search import round_tpe
from orchestrator.search.round_tpe import tpe_sampler
from orchestrator.search.rounds import SearchRounds, Told

SPACE = {
    "rate": Knob(1.0, Float(0.1, 10.0, log=True)),
    "weight": Knob(1.0, Float(0.0, 2.0)),
    "heads": Knob(3, Int(1, 9)),
    "loss": Knob("reverse", Choice("reverse", "renyi")),
    "order": Knob(1.0, Float(0.1, 5.0), when={"loss": ("renyi",)}),
}


def told(proposal, n_objectives):
    values = proposal.values
    score = -abs(math.log(values["rate"] / 2.0)) - abs(values["weight"] - 0.5) - 0.1 * abs(values["heads"] - 5)
    if proposal.number % 7 == 3:
        return Told(number=proposal.number, state="pruned", curve={1: score})
    if proposal.number % 11 == 5:
        return Told(number=proposal.number, state="failed")
    objectives = (score, values["weight"])[:n_objectives]
    return Told(number=proposal.number, state="complete", objectives=objectives, feasible=proposal.number % 5 > 0)


def asked(over, sampler, monkeypatch, n_ahead, **options):
    monkeypatch.setattr(round_tpe, "tpe_sampler", sampler)
    design = search("m", over, n_configurations=48, round_size=6, rounds_ahead=n_ahead, **options)
    rounds = SearchRounds(design, SPACE, "salt")
    open_rounds, found = [], []
    while not rounds.exhausted:
        open_rounds.append(rounds.ask())
        found += [dict(proposal.values) for proposal in open_rounds[-1]]
        if len(open_rounds) > n_ahead:
            rounds.tell([told(proposal, len(design.rules)) for proposal in open_rounds.pop(0)])
    return found


@pytest.mark.parametrize("n_ahead", [0, 2])
@pytest.mark.parametrize("rule", ["neighbour_mi", ("neighbour_mi", "silhouette")])
@pytest.mark.parametrize("over", [("rate", "weight"), tuple(SPACE)])
def test_every_draw_is_that_of_optunas_own_sampler(monkeypatch, over, rule, n_ahead):
    ours = asked(over, tpe_sampler, monkeypatch, n_ahead, rule=rule)
    optunas = asked(over, optuna.samplers.TPESampler, monkeypatch, n_ahead, rule=rule)
    assert ours == optunas


def test_another_release_of_optuna_gets_its_own_sampler(monkeypatch):
    assert type(tpe_sampler(0, 4)) is not optuna.samplers.TPESampler
    monkeypatch.setattr(optuna, "__version__", "5.9.0")
    assert type(tpe_sampler(0, 4)) is optuna.samplers.TPESampler


def test_trials_told_out_of_order_are_drawn_by_optuna_itself():
    def drawn(sampler):
        study = optuna.create_study(direction="maximize", sampler=sampler)
        values = []
        for _ in range(12):
            trials = [study.ask() for _ in range(3)]
            values += [trial.suggest_float("rate", 0.1, 10.0) for trial in trials]
            for trial in reversed(trials[1:]):
                study.tell(trial, -abs(trial.params["rate"] - 3.0))
        return values

    assert drawn(tpe_sampler(1, 4)) == drawn(optuna.samplers.TPESampler(seed=1, n_startup_trials=4))
